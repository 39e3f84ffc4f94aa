"""Uses the tests' GitLab by python-gitlab, a client that knows the real one: does it find everything as it expects?

Takes the server's address. Prints what it did, and ends with an error at the first thing that is not so.
"""

import sys

import gitlab

URL = sys.argv[1]
done = 0


def step(name):
    global done
    done += 1
    print(f"{done}. {name}", flush=True)


def refused(error, code, act):
    try:
        act()
    except error as refusal:
        assert refusal.response_code == code, refusal
        return str(refusal)
    raise AssertionError("it was not refused")


def client(token):
    return gitlab.Gitlab(URL, private_token=token)


ann, bob = client("glpat-ann"), client("glpat-bob")

step("knows who asks")
ann.auth()
assert ann.user.username == "ann"

step("waits when it is told to, and asks again")
assert ann.version()[0].startswith("19.")

step("finds a project by its nested path")
project = ann.projects.get("tools/deep/site")
assert project.path_with_namespace == "tools/deep/site"

step("finds a project by its number")
assert ann.projects.get(project.id).path_with_namespace == "tools/deep/site"

step("hides projects of others")
refused(gitlab.GitlabGetError, 404, lambda: ann.projects.get("secret/site"))

step("refuses a token that it does not know")
refused(gitlab.GitlabAuthenticationError, 401, client("glpat-nobody").auth)

step("refuses to write with a token for reading")
reader = client("glpat-ann-reads").projects.get("tools/deep/site")
refused(gitlab.GitlabCreateError, 403, lambda: reader.issues.create({"title": "no"}))

step("describes the token in use")
token = ann.personal_access_tokens.get("self")
assert token.scopes == ["api"] and token.active and token.expires_at == "2099-01-01"

step("finds a user by name")
users = ann.users.list(username="bob", get_all=True)
assert [user.username for user in users] == ["bob"]
bob_id = users[0].id

step("lists members")
members = project.members_all.list(get_all=True)
assert {(member.username, member.access_level) for member in members} == {("ann", 50), ("bob", 20)}

step("makes a label")
label = project.labels.create({"name": "alert", "color": "#8899aa"})
assert label.name == "alert"

step("makes no label twice")
text = refused(gitlab.GitlabCreateError, 409, lambda: project.labels.create({"name": "alert", "color": "#8899aa"}))
assert "Label already exists" in text

step("wants a colour that is one")
text = refused(gitlab.GitlabCreateError, 400, lambda: project.labels.create({"name": "plain", "color": "#12"}))
assert "must be a valid color code" in text

step("changes and finds a label")
label.description = "something fires"
label.save()
assert project.labels.get("alert").description == "something fires"
assert [known.name for known in project.labels.list(search="ale", get_all=True)] == ["alert"]

step("makes a milestone and finds it by title")
milestone = project.milestones.create({"title": "Autumn"})
assert [known.id for known in project.milestones.list(title="Autumn", get_all=True)] == [milestone.id]

step("makes an issue with all that belongs to it")
issue = project.issues.create({
    "title": "Disk full", "description": "On db1.", "labels": ["alert", "new one"], "assignee_ids": [bob_id, ann.user.id],
    "milestone_id": milestone.id, "due_date": "2030-01-31", "confidential": True,
})
assert (issue.iid, issue.state, issue.labels) == (1, "opened", ["alert", "new one"])
assert issue.milestone["title"] == "Autumn" and issue.due_date == "2030-01-31" and issue.confidential
assert [person["username"] for person in issue.assignees] == ["bob"], "one at most, without a licence"

step("made the label that was missing")
assert project.labels.get("new one")

step("finds the issue by number")
assert project.issues.get(1).description == "On db1."

step("finds issues that have all of some labels")
found = lambda **filters: [known.iid for known in project.issues.list(get_all=True, **filters)]
assert found(labels=["alert", "new one"]) == [1]
assert found(labels=["alert", "absent"]) == []

step("finds issues by state, number, type and time")
assert found(state="opened") == [1] and found(state="closed") == []
assert found(iids=[1, 7]) == [1] and found(issue_type="incident") == []
assert found(updated_after="2020-01-01T00:00:00Z") == [1] and found(updated_after="2099-01-01T00:00:00Z") == []

step("finds issues by who made them")
assert found(scope="created_by_me") == [1]
assert bob.projects.get("tools/deep/site").issues.list(scope="created_by_me", get_all=True) == []
assert [known.iid for known in ann.issues.list(get_all=True)] == [1]

step("finds issues by their words")
assert found(search="disk") == [1] and found(search="disk", **{"in": "description"}) == []

step("refuses a state that there is not")
text = refused(gitlab.GitlabListError, 400, lambda: found(state="ajar"))
assert "state does not have a valid value" in text

step("refuses a title that is too long")
text = refused(gitlab.GitlabCreateError, 400, lambda: project.issues.create({"title": "x" * 256}))
assert "is too long (maximum is 255 characters)" in text

step("wants a title")
text = refused(gitlab.GitlabCreateError, 400, lambda: project.issues.create({"title": ""}))
assert "can't be blank" in text

step("changes an issue")
issue.title, issue.description = "Disk nearly full", "On db1 and db2."
issue.save()
assert project.issues.get(1).title == "Disk nearly full"

step("adds and removes labels")
project.issues.update(1, {"add_labels": "third", "remove_labels": "new one"})
assert project.issues.get(1).labels == ["alert", "third"]

step("takes a note")
note = issue.notes.create({"body": "I look into it."})
assert note.body == "I look into it." and not note.system

step("changes a note")
note.body = "I looked into it."
note.save()
assert issue.notes.get(note.id).body == "I looked into it."

step("does what a note of commands alone says, and keeps no note")
answer = issue.notes.create({"body": "/label ~urgent\n/due 2031-02-03"})
assert "id" not in answer.attributes and len(answer.summary) == 2
assert "urgent" in project.issues.get(1).labels and project.issues.get(1).due_date == "2031-02-03"

step("lists notes, with those of its own")
notes = issue.notes.list(get_all=True, sort="asc")
assert [known.body for known in notes if not known.system] == ["I looked into it."]
assert any(known.system for known in notes)
assert project.issues.get(1).user_notes_count == 1

step("takes internal notes")
assert issue.notes.create({"body": "Between us.", "internal": True}).internal

step("closes an issue")
issue.state_event = "close"
issue.save()
closed = project.issues.get(1)
assert closed.state == "closed" and closed.closed_at and closed.attributes["closed_by"]["username"] == "ann"

step("opens it again")
issue.state_event = "reopen"
issue.save()
assert project.issues.get(1).state == "opened" and project.issues.get(1).closed_at is None

step("does what a description says, and takes it out")
second = project.issues.create({"title": "Disk full again", "description": "See there.\n/label ~alert\n/assign @bob"})
assert second.description == "See there." and second.labels == ["alert"] and second.assignee["username"] == "bob"

step("leaves commands in code alone")
third = project.issues.create({"title": "Not a command", "description": "```\n/close\n```"})
assert third.state == "opened" and "/close" in third.description

step("closes a duplicate")
second.notes.create({"body": "The same.\n\n/duplicate #1"})
duplicate = project.issues.get(second.iid)
assert duplicate.state == "closed" and duplicate._links["closed_as_duplicate_of"].endswith("/issues/1")

step("links issues, once")
link = {"target_project_id": project.id, "target_issue_iid": third.iid}
issue.links.create(link)
refused(gitlab.GitlabCreateError, 409, lambda: issue.links.create(link))
assert {known.iid for known in issue.links.list(get_all=True)} == {second.iid, third.iid}

step("unlinks them")
for known in issue.links.list(get_all=True):
    issue.links.delete(known.issue_link_id)
assert issue.links.list(get_all=True) == []

step("moves an issue, with the labels that are known there")
other = ann.projects.get("tools/other")
number = third.iid
third.move(other.id)
left = project.issues.get(number)
moved = other.issues.list(get_all=True)
assert left.state == "closed" and [known.id for known in moved] == [left.moved_to_id]

step("lets nobody but owners delete")
refused(gitlab.GitlabDeleteError, 403, lambda: bob.projects.get(project.id).issues.delete(1))

step("lets guests report, and no more")
guest = client("glpat-eve").projects.get("tools/other")
report = guest.issues.create({"title": "It smells", "labels": "alert"})
assert report.labels == []
refused(gitlab.GitlabCreateError, 403, lambda: guest.labels.create({"name": "mine", "color": "#123456"}))
refused(gitlab.GitlabCreateError, 403, lambda: report.notes.create({"body": "Psst.", "internal": True}))

step("deletes")
project.issues.delete(1)
refused(gitlab.GitlabGetError, 404, lambda: project.issues.get(1))

step("lists page by page")
for number in range(45):
    other.issues.create({"title": f"Number {number}", "labels": "many"})
page = other.issues.list(labels="many", per_page=20, iterator=True)
assert (page.total, page.total_pages, page.per_page, page.current_page, page.next_page) == (45, 3, 20, 1, 2)
titles = [known.title for known in page]
assert len(titles) == 45 and titles[0] == "Number 44" and titles[-1] == "Number 0"

step("lists page by page in the other order, from page 3")
page = other.issues.list(labels="many", per_page=20, page=3, order_by="created_at", sort="asc", get_all=False)
assert [known.title for known in page] == [f"Number {number}" for number in range(40, 45)]

step("lists by key")
listed = other.issues.list(labels="many", pagination="keyset", order_by="created_at", sort="asc", per_page=10, get_all=True)
assert [known.title for known in listed] == [f"Number {number}" for number in range(45)]

step("refuses a number that is far off")
refused(gitlab.GitlabListError, 405, lambda: other.issues.list(page=501, per_page=100, get_all=False))

step("refuses who searches too much")
text = refused(gitlab.GitlabListError, 429, lambda: [
    # A minute may end meanwhile: of 61 one of two minutes has more than 30.
    bob.projects.get(project.id).issues.list(search="x", get_all=True, obey_rate_limit=False) for _ in range(61)
])
assert "requested too many times" in text

print(f"{done} operations", flush=True)
