// Package cloudformation simulates AWS CloudFormation: stacks that own what calls on their behalf made, stacks that pipelines and people
// deploy, their templates, events and drift. It never makes a thing in another service, and a stack knows nothing of changes made past it
// until drift is detected.
package cloudformation

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Service is CloudFormation in every account and Region. It is guarded by the cloud's lock.
type Service struct {
	c          *cloud.Cloud
	stacks     []*stack // oldest first, deleted ones too
	detections []*detection
	sets       []*changeSet
	roles      Roles
	templates  map[place]Template
	hindrances map[hindered]hindrance
}

// New registers the service on a cloud. It learns of stacks from calls whose origin names one.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c, templates: map[place]Template{}, hindrances: map[hindered]hindrance{}}
	c.OnServed(s.notice)
	s.register()
	return s
}

// How long a stack goes on after its last resource is done, and how long after that a further call still belongs to the same
// operation. AWS names no figures.
const (
	settling = 5 * time.Second
	together = time.Minute
)

// stack is one stack, from its first resource to the deletion of its last.
type stack struct {
	account, region, name, id string
	role                      string // ARN of the role it works with; "" when it works as the caller
	created                   time.Time
	operations                []*operation
	resources                 []*resource // in order of creation
	status                    string      // of the last drift detection; "" before the first
	checked                   time.Time
	parent                    *stack // of a nested one
	within                    string // place of a nested one in the template
	good                      string // revision of the artifact that was deployed last with success; "" when none is known
	capabilities              []string
}

// operation is one creation, update or deletion of a stack: calls that follow each other closely, or a deployment, which is planned.
type operation struct {
	kind        string // CREATE, UPDATE or DELETE
	start, last time.Time
	failed      string // why, "" when all went well
	events      []event
	planned     bool // the events are laid out in advance, those of the stack itself among them
}

// event is what happened to a resource in an operation.
type event struct {
	at               time.Time
	resource         *resource // nil: the stack itself, in a deployment
	physical, status string
	reason           string
	properties       string // JSON
}

// resource is a resource of a stack as the stack knows it.
type resource struct {
	logical, physical, kind string
	properties              map[string]any // as the template states them
	declaration             map[string]any // pipelines: as CreatePipeline takes it
	status, reason          string
	at                      time.Time // of the status
	drift                   *drift    // nil before the first detection
}

// ID is the ARN of the living stack of that name, or the one that the next stack of that name will have.
func (s *Service) ID(account, region, name string) string {
	generation := 0
	for _, k := range s.stacks {
		if k.account != account || k.region != region || k.name != name {
			continue
		}
		if !k.over(s.c.Now()) {
			return k.id
		}
		generation++
	}
	return "arn:aws:cloudformation:" + region + ":" + account + ":stack/" + name + "/" + uuid(account, region, name, fmt.Sprint(generation))
}

// Declaration is a pipeline as the template of a stack has it, in the form that UpdatePipeline takes; nil when the stack owns none of
// that name.
func (s *Service) Declaration(id, pipeline string) map[string]any {
	if k := s.byID(id); k != nil {
		if x := k.owned(pipelineType, pipeline); x != nil {
			return clone(x.declaration).(map[string]any)
		}
	}
	return nil
}

// uuid is an identifier that follows from its parts, so that it makes no difference to the IDs of anything else.
func uuid(parts ...string) string {
	x := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "|"))))
	return x[:8] + "-" + x[8:12] + "-4" + x[12:15] + "-a" + x[15:18] + "-" + x[18:30]
}

func (s *Service) byID(id string) *stack {
	for _, k := range s.stacks {
		if k.id == id {
			return k
		}
	}
	return nil
}

// over reports whether a stack is deleted for good.
func (k *stack) over(now time.Time) bool {
	o := k.operation()
	if o.planned {
		return k.state(now) == "DELETE_COMPLETE"
	}
	return o.kind == "DELETE" && now.Sub(o.last) > together
}

func (k *stack) operation() *operation { return k.operations[len(k.operations)-1] }

// at is the operation that has begun last by a time: those of nested stacks are laid out in advance.
func (k *stack) at(now time.Time) *operation {
	for _, o := range slices.Backward(k.operations) {
		if !o.start.After(now) {
			return o
		}
	}
	return k.operations[0]
}

// word is the newest word on the stack itself in a deployment, by a time.
func (o *operation) word(now time.Time) (status, reason string) {
	for _, e := range o.events {
		if e.resource == nil && !e.at.After(now) {
			status, reason = e.status, e.reason
		}
	}
	return status, reason
}

// state is the stack's status now. A stack that fails keeps what it has: its creator disabled the rollback.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
func (k *stack) state(now time.Time) string {
	o := k.at(now)
	switch {
	case o.planned:
		status, _ := o.word(now)
		return status
	case now.Before(o.last.Add(settling)):
		return o.kind + "_IN_PROGRESS"
	case o.failed != "":
		return o.kind + "_FAILED"
	}
	return o.kind + "_COMPLETE"
}

// owned finds a resource that the stack has, by type and physical ID.
func (k *stack) owned(kind, physical string) *resource {
	for _, x := range k.resources {
		if x.kind == kind && x.physical == physical && x.alive() {
			return x
		}
	}
	return nil
}

func (x *resource) alive() bool { return x.status != "DELETE_COMPLETE" && x.physical != "" }

// parts takes the ARN of a stack apart.
func parts(id string) (account, region, name string, ok bool) {
	p := strings.SplitN(id, ":", 6)
	if len(p) != 6 || p[2] != "cloudformation" {
		return "", "", "", false
	}
	n := strings.Split(p[5], "/")
	return p[4], p[3], n[min(1, len(n)-1)], len(n) == 3
}

// begin finds the stack that a call is made for, or makes it, with the operation that the call belongs to.
func (s *Service) begin(r *cloud.Request) *stack {
	account, region, name, ok := parts(r.Origin.Stack)
	if !ok {
		return nil
	}
	now := s.c.Now()
	k := s.byID(s.ID(account, region, name))
	if k == nil {
		k = &stack{account: account, region: region, name: name, id: s.ID(account, region, name), created: now}
		if r.Caller.Type == "AssumedRole" {
			k.role = r.Caller.Source
		}
		k.operations = []*operation{{kind: "CREATE", start: now, last: now}}
		s.stacks = append(s.stacks, k)
		return k
	}
	if now.Sub(k.operation().last) > together {
		k.operations = append(k.operations, &operation{kind: "UPDATE", start: now, last: now})
	}
	k.operation().last = now
	return k
}

// settle decides what the operation under way is: one after which nothing is left deletes the stack.
func (k *stack) settle() {
	o := k.operation()
	left := slices.ContainsFunc(k.resources, (*resource).alive)
	switch {
	case !left && o.failed == "":
		o.kind = "DELETE"
	case len(k.operations) == 1 && o.kind == "DELETE":
		o.kind = "CREATE"
	case o.kind == "DELETE":
		o.kind = "UPDATE"
	}
}
