/* Posts the page's only form as soon as it is there; without scripts the button does the same. */
document.querySelector("form").submit();
