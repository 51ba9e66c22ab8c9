"""Names from the LTI 1.3 specifications and from Canvas, each written down once."""

from __future__ import annotations

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
INSTRUCTURE = "https://www.instructure.com/"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
SUBMISSION_EXTENSION = "https://canvas.instructure.com/lti/submission"
SUBMISSION_TYPE_EXTENSION = "https://canvas.instructure.com/lti/submission_type"
LAUNCH_URL_EXTENSION = "https://canvas.instructure.com/lti/launch_url"

SCOPE_LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_LINE_ITEM_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
SCOPE_RESULT_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPE_PROGRESS = "https://canvas.instructure.com/lti-ags/progress/scope/show"
SCOPE_MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
SCOPE_NOTICES = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"
AGS_SCOPES = (
    SCOPE_LINE_ITEM,
    SCOPE_LINE_ITEM_READ,
    SCOPE_RESULT_READ,
    SCOPE_SCORE,
    SCOPE_PROGRESS,
)

LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEM_LIST_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULT_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS_TYPE = "application/vnd.ims.lis.v2.membershipcontainer+json"

LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
COURSE_OFFERING = LIS + "course#CourseOffering"
LEARNER = LIS + "membership#Learner"
INSTRUCTOR = LIS + "membership#Instructor"
TEACHING_ASSISTANT = LIS + "membership/Instructor#TeachingAssistant"
CONTENT_DEVELOPER = LIS + "membership#ContentDeveloper"
MENTOR = LIS + "membership#Mentor"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
INSTITUTION_STUDENT = LIS + "institution/person#Student"
INSTITUTION_INSTRUCTOR = LIS + "institution/person#Instructor"
INSTITUTION_OBSERVER = LIS + "institution/person#Observer"
INSTITUTION_ADMINISTRATOR = LIS + "institution/person#Administrator"
SYSTEM_USER = LIS + "system/person#User"
SYSTEM_NONE = LIS + "system/person#None"

# lti.md 2, "Roles": what an enrolment of this kind says in the course itself.
MEMBERSHIP_ROLES: dict[str, tuple[str, ...]] = {
    "StudentEnrollment": (LEARNER,),
    "StudentViewEnrollment": (LEARNER, TEST_USER),
    "TeacherEnrollment": (INSTRUCTOR,),
    "TaEnrollment": (TEACHING_ASSISTANT, INSTRUCTOR),
    "DesignerEnrollment": (CONTENT_DEVELOPER,),
    "ObserverEnrollment": (MENTOR,),
}
# What an enrolment anywhere in the root account says about the person at the institution.
INSTITUTION_ROLES: dict[str, str] = {
    "StudentEnrollment": INSTITUTION_STUDENT,
    "TeacherEnrollment": INSTITUTION_INSTRUCTOR,
    "TaEnrollment": INSTITUTION_INSTRUCTOR,
    "DesignerEnrollment": INSTITUTION_INSTRUCTOR,
    "ObserverEnrollment": INSTITUTION_OBSERVER,
}
PUBLIC_LOGIN_HINT = "0" * 38 + "ff"  # the fixed id Canvas sends when nobody is logged in (lti.md 1.1)
UNIVERSAL_HOSTS = ("canvas.instructure.com", "sso.canvaslms.com")
