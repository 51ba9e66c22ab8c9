/* A tool says that its registration is over (LTI Dynamic Registration 1.0, 3.7). */
addEventListener("message", (event) => {
  const frame = document.getElementById("registration");
  if (event.source === frame.contentWindow && event.data?.subject === "org.imsglobal.lti.close") {
    location.assign(document.getElementById("done").href);
  }
});
