package world

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/provider"
)

// org finds the organisation a word means, by its name and with provider= where several providers have one of the name.
func (d *loader) org(a *act, name string) (*provider.Org, error) {
	if p := a.opt("provider", ""); p != "" {
		if o, ok := d.lab.Git.Org(providerType(p), name); ok {
			return o, nil
		}
		return nil, fmt.Errorf("%s has no organisation %q", p, name)
	}
	if o, ok := d.lab.Git.OrgNamed(name); ok {
		return o, nil
	}
	return nil, fmt.Errorf("there is no organisation %q", name)
}

// login is whose login at the provider acts: the actor, or as=.
func (d *loader) login(a *act) (string, error) {
	who := a.opt("as", a.actor)
	if !d.w.people[who] {
		return "", fmt.Errorf("%s has no login at a provider; name one with as=", who)
	}
	return who, nil
}

func (d *loader) repo(a *act) (*provider.Org, string, error) {
	full, err := a.word("the repository")
	if err != nil {
		return nil, "", err
	}
	name, _, _ := strings.Cut(full, "/")
	o, err := d.org(a, name)
	return o, full, err
}

// changed are the files that a line changes: files=, behind others= more that nobody names.
func changed(a *act) ([]string, error) {
	var all []string
	if n := a.opt("others", ""); n != "" {
		count, err := strconv.Atoi(n)
		if err != nil || count < 1 || count > 10000 {
			return nil, fmt.Errorf("others=%s is no number of files from 1 to 10000", n)
		}
		for i := range count {
			all = append(all, fmt.Sprintf("other/%04d.txt", i))
		}
	}
	return append(all, a.list("files")...), nil
}

// proposes: PERSON proposes ORG/REPO BRANCH [into BRANCH] [event=opened|updated|closed] [files=] [others=]
func (d *loader) proposes(a *act) error {
	o, full, err := d.repo(a)
	if err != nil {
		return err
	}
	from, err := a.word("the branch that the pull request comes from")
	if err != nil {
		return err
	}
	a.skip("into")
	into := "main"
	if len(a.words) > 0 {
		into, _ = a.word("the branch it goes into")
	}
	files, err := changed(a)
	if err != nil {
		return err
	}
	what := a.opt("event", "opened")
	event := map[string]string{"opened": "OPEN", "updated": "UPDATED", "closed": "CLOSED"}[what]
	if event == "" {
		return fmt.Errorf("event=%s is none of opened, updated and closed", what)
	}
	return d.lab.Git.Propose(o.Type, full, from, into, event, files...)
}

// pushes: PERSON pushes ORG/REPO [BRANCH] ["message"] [files=] [others=], or PERSON pushes tag ORG/REPO TAG [BRANCH]
func (d *loader) pushes(a *act) error {
	if a.skip("image") {
		return d.pushesImage(a)
	}
	tag := a.skip("tag")
	o, full, err := d.repo(a)
	if err != nil {
		return err
	}
	who, err := d.login(a)
	if err != nil {
		return err
	}
	if !o.Knows(who) {
		return fmt.Errorf("%s is neither owner nor member of %s", who, o.Name)
	}
	branch, message := "main", "Update"
	if tag {
		name, err := a.word("the tag")
		if err != nil {
			return err
		}
		if len(a.words) > 0 {
			branch, _ = a.word("the branch")
		}
		return d.lab.Git.Tag(o.Type, full, branch, name)
	}
	files, err := changed(a)
	if err != nil {
		return err
	}
	if len(a.words) > 0 {
		branch, _ = a.word("the branch")
	}
	if len(a.words) > 0 {
		message, _ = a.word("the message")
	}
	_, err = d.lab.Git.Push(o.Type, full, branch, message, files...)
	return err
}

// apps: PERSON installs|uninstalls|suspends|unsuspends|approves|selects [app] [on] ORG [repos=]
func (d *loader) apps(a *act) error {
	if a.verb == "approves" && a.skip("pipeline") {
		return d.approval(a)
	}
	a.skip("app")
	a.skip("on")
	name, err := a.word("the organisation")
	if err != nil {
		return err
	}
	o, err := d.org(a, name)
	if err != nil {
		return err
	}
	who, err := d.login(a)
	if err != nil {
		return err
	}
	if a.verb != "installs" && o.Owner != who {
		return fmt.Errorf("only the owner of %s, %s, %s its app", o.Name, o.Owner, a.verb)
	}
	git := d.lab.Git
	switch repos := a.list("repos"); a.verb {
	case "installs":
		if _, err = git.Install(o.Type, o.Name, who, repos...); errors.Is(err, provider.ErrOwnerNeeded) {
			err = nil // the wish waits for the owner
		}
	case "approves":
		_, err = git.Approve(o.Type, o.Name, who)
	case "uninstalls":
		err = git.Uninstall(o.Type, o.Name)
	case "selects":
		err = git.SelectRepos(o.Type, o.Name, repos...)
	default:
		err = git.Suspend(o.Type, o.Name, a.verb == "suspends")
	}
	return err
}

// renames: PERSON renames repo OLD to NEW; renames branch REPO OLD to NEW
func (d *loader) renames(a *act) error {
	branch := a.skip("branch")
	a.skip("repo")
	o, full, err := d.repo(a)
	if err != nil {
		return err
	}
	old := ""
	if branch {
		if old, err = a.word("the branch"); err != nil {
			return err
		}
	}
	a.skip("to")
	name, err := a.word("the new name")
	if err != nil {
		return err
	}
	if branch {
		return d.lab.Git.RenameBranch(o.Type, full, old, name)
	}
	return d.lab.Git.RenameRepo(o.Type, full, name)
}

// deleteAtProvider: PERSON deletes branch REPO BRANCH; deletes repo REPO
func (d *loader) deleteAtProvider(a *act) error {
	o, full, err := d.repo(a)
	if err != nil {
		return err
	}
	if len(a.words) == 0 {
		return d.lab.Git.DeleteRepo(o.Type, full)
	}
	branch, _ := a.word("the branch")
	return d.lab.Git.DeleteBranch(o.Type, full, branch)
}
