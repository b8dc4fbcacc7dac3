package cloudformation

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// Exists reports whether a stack of that name lives.
func (s *Service) Exists(account, region, name string) bool {
	return s.living(place{account, region, name}) != nil
}

// Deploy does what a CloudFormation action of a pipeline is configured to do, as a role, in the role's account; revision is that of the
// artifacts. It returns the stack's ID and a function that tells how the deployment ended, as soon as it has; or the refusal.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
func (s *Service) Deploy(role cloud.Principal, region string, conf map[string]string, revision string) (id string, ended func() (bool, *cloud.Error), refused *cloud.Error) {
	o := order{place: place{role.Account, region, conf["StackName"]}, caller: role, role: conf["RoleArn"], revision: revision}
	if c := conf["Capabilities"]; c != "" {
		o.capabilities = strings.Split(c, ",")
	}
	mode := conf["ActionMode"]
	if err := s.file(o.place, mode, conf["TemplatePath"]); err != nil {
		return "", nil, err
	}
	switch mode {
	case "DELETE_ONLY":
		return s.watch(s.drop(o))
	case "CHANGE_SET_REPLACE":
		return s.prepared(o, conf["ChangeSetName"])
	case "CHANGE_SET_EXECUTE":
		return s.watch(s.execute(o.place, conf["ChangeSetName"], role))
	case "REPLACE_ON_FAILURE":
		if k := s.living(o.place); k != nil && slices.Contains([]string{"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"}, k.state(s.c.Now())) {
			return s.replace(o)
		}
	}
	if s.living(o.place) == nil {
		return s.watch(s.create(o))
	}
	k, err := s.update(o)
	if err != nil && err.Message == noUpdates {
		return s.living(o.place).id, func() (bool, *cloud.Error) { return true, nil }, nil // nothing to do is no failure
	}
	return s.watch(k, err)
}

// file refuses a template that is not in the artifact. The text is known from public reports alone.
func (s *Service) file(at place, mode, path string) *cloud.Error {
	artifact, file, ok := strings.Cut(path, "::")
	want := s.template(at).Path
	if !ok || want == "" || file == want || mode == "DELETE_ONLY" || mode == "CHANGE_SET_EXECUTE" {
		return nil
	}
	return cloud.Errorf("", "File [%s] does not exist in artifact [%s]", file, artifact)
}

// watch tells how the operation that has just begun ends.
func (s *Service) watch(k *stack, refused *cloud.Error) (string, func() (bool, *cloud.Error), *cloud.Error) {
	if refused != nil {
		return "", nil, refused
	}
	if k == nil {
		return "", func() (bool, *cloud.Error) { return true, nil }, nil
	}
	o := k.operation()
	return k.id, func() (bool, *cloud.Error) {
		status, _ := o.word(s.c.Now())
		switch {
		case strings.HasSuffix(status, "_IN_PROGRESS"):
			return false, nil
		case o.failed != "":
			return true, cloud.Errorf("", "%s", strings.TrimSpace(o.failed))
		}
		return true, nil
	}, nil
}

// replace deletes a stack whose last operation failed and creates it again.
func (s *Service) replace(o order) (string, func() (bool, *cloud.Error), *cloud.Error) {
	old, refused := s.drop(o)
	if refused != nil {
		return "", nil, refused
	}
	var then func() (bool, *cloud.Error)
	return old.id, func() (bool, *cloud.Error) {
		switch state := old.state(s.c.Now()); {
		case then != nil:
			return then()
		case busy(state):
			return false, nil
		case state != "DELETE_COMPLETE":
			return true, cloud.Errorf("", "%s", strings.TrimSpace(old.operation().failed))
		}
		_, ended, refused := s.watch(s.create(o))
		then = ended
		return refused != nil, refused
	}, nil
}

// prepared replaces a change set. Whether an action fails on one without a change is not documented: the lab lets it fail.
func (s *Service) prepared(o order, name string) (string, func() (bool, *cloud.Error), *cloud.Error) {
	if old := s.set(o.place, name); old != nil {
		s.sets = slices.DeleteFunc(s.sets, func(c *changeSet) bool { return c == old })
	}
	c, refused := s.prepare(o, name)
	if refused != nil {
		return "", nil, refused
	}
	return c.stack.id, func() (bool, *cloud.Error) {
		switch status, reason, _ := c.status(s.c.Now()); status {
		case "CREATE_IN_PROGRESS":
			return false, nil
		case "FAILED":
			return true, cloud.Errorf("", "%s", reason)
		}
		return true, nil
	}, nil
}
