package cloudformation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// How long the parts of a deployment take. AWS names no figures.
const (
	making  = 5 * time.Second // a resource, or the handler's giving up; each takes as much longer than the one above it in the template
	between = time.Second     // from one state of the stack to the next
)

// deployment is one operation of a stack whose events are laid out in advance: what happens follows from what is true when it begins.
type deployment struct {
	s      *Service
	k      *stack
	o      *operation
	at     time.Time       // of the next event
	role   cloud.Principal // whose permissions the handlers have
	stuck  bool            // the rollback failed
	within string          // place of a nested stack in the template
}

// deploy begins an operation: CREATE, UPDATE, DELETE or CONTINUE, which is the rollback of the update before it once more, but for the
// resources to skip.
func (s *Service) deploy(k *stack, kind string, role cloud.Principal, at time.Time, skip []any) *deployment {
	d := &deployment{s: s, k: k, role: role, at: at, within: k.within, o: &operation{kind: kind, start: at, planned: true}}
	switch kind {
	case "DELETE":
		d.own("DELETE_IN_PROGRESS", "User Initiated")
		d.remove("DELETE")
	case "CONTINUE":
		d.o.kind = "UPDATE"
		d.own("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
		d.back(skip)
	default:
		d.own(kind+"_IN_PROGRESS", "User Initiated")
		d.make(kind)
	}
	d.o.last = d.at
	k.operations = append(k.operations, d.o)
	k.take(d.o)
	return d
}

// take takes over what becomes of the resources; readers see it when its time has come.
func (k *stack) take(o *operation) {
	for _, e := range o.events {
		if x := e.resource; x != nil {
			x.status, x.reason, x.at, x.physical = e.status, e.reason, e.at, e.physical
		}
	}
	k.resources = slices.DeleteFunc(k.resources, func(x *resource) bool {
		return x.status == "" || x.status == "CREATE_FAILED" && x.physical == "" // never begun, or never made
	})
}

// own is an event of the stack itself.
func (d *deployment) own(status, reason string) {
	d.o.events = append(d.o.events, event{at: d.at, status: status, reason: reason})
}

func (d *deployment) note(at time.Time, x *resource, physical, status, reason string) {
	d.o.events = append(d.o.events, event{at: at, resource: x, physical: physical, status: status, reason: reason, properties: "{}"})
}

// make makes or changes every resource: the plain ones side by side, then the nested stacks one after the other. The first failure
// cancels what has not ended and begins the rollback.
func (d *deployment) make(kind string) {
	var plain, nested []*resource
	for _, x := range d.k.declared(d.s.template(d.k.place()).level(d.within)) {
		if x.kind == stackType {
			nested = append(nested, x)
		} else {
			plain = append(plain, x)
		}
	}
	failed := d.side(kind, plain)
	for _, x := range nested {
		if len(failed) > 0 {
			break
		}
		if d.nest(kind, x) {
			failed = append(failed, x.logical)
		}
	}
	d.at = d.at.Add(between)
	if len(failed) == 0 {
		d.own(kind+"_COMPLETE", "")
		return
	}
	slices.Sort(failed)
	d.o.failed = fmt.Sprintf("The following resource(s) failed to %s: [%s]. ", strings.ToLower(kind), strings.Join(failed, ", "))
	if kind == "CREATE" {
		d.own("ROLLBACK_IN_PROGRESS", d.o.failed+"Rollback requested by user.")
		d.remove("ROLLBACK")
		return
	}
	d.own("UPDATE_ROLLBACK_IN_PROGRESS", d.o.failed)
	d.back(nil)
}

// side lets plain resources be made or changed side by side, and names those that failed, the cancelled ones among them.
func (d *deployment) side(kind string, all []*resource) (failed []string) {
	started, end := d.at.Add(between), d.at.Add(between)
	reasons, ends := make([]string, len(all)), make([]time.Time, len(all))
	var first time.Time
	for i, x := range all {
		var took time.Duration
		reasons[i], took = d.handle(kind, x)
		ends[i] = started.Add(took + time.Duration(i)*making)
		if reasons[i] != "" && (first.IsZero() || ends[i].Before(first)) {
			first = ends[i]
		}
		d.note(started, x, x.made(d.k), kind+"_IN_PROGRESS", "")
	}
	for i, x := range all {
		switch {
		case !first.IsZero() && ends[i].After(first):
			continue // cancelled below
		case reasons[i] != "":
			failed = append(failed, x.logical)
			d.note(ends[i], x, x.physical, kind+"_FAILED", reasons[i])
		default:
			d.note(ends[i], x, x.made(d.k), kind+"_COMPLETE", "")
		}
		if ends[i].After(end) {
			end = ends[i]
		}
	}
	for i, x := range all {
		if !first.IsZero() && ends[i].After(first) {
			failed = append(failed, x.logical)
			d.note(first, x, x.made(d.k), kind+"_FAILED", map[string]string{"CREATE": "Resource creation cancelled", "UPDATE": "Resource update cancelled"}[kind])
		}
	}
	slices.SortStableFunc(d.o.events, func(a, b event) int { return a.at.Compare(b.at) })
	d.at = end
	return failed
}

// handle is what the handler of a resource comes to: why it fails, "" when it does not, and how long it takes.
func (d *deployment) handle(kind string, x *resource) (reason string, took time.Duration) {
	h := d.s.hindrances[hindered{d.k.place(), under(d.within, x.logical)}]
	switch {
	case h.kind == Slow:
		took = slowness
	case h.kind == NameTaken && kind == "CREATE", h.kind == Gone && kind == "UPDATE", h.kind == Full, h.kind == Invalid:
		return h.says(Declared{Logical: x.logical, Type: x.kind}, x.made(d.k), d.s.c.TraceID()), making
	}
	if why := d.unfit(x); why != "" {
		return (hindrance{Invalid, why}).says(Declared{Logical: x.logical, Type: x.kind}, x.made(d.k), d.s.c.TraceID()), making
	}
	if err := d.refusal(kind, x); err != nil {
		return handlerMessage(err, d.s.c.TraceID()), making
	}
	return "", took + making
}

// unfit is why the service does not take what a resource refers to; "" when it does.
func (d *deployment) unfit(x *resource) string {
	for _, t := range d.s.template(d.k.place()).level(d.within) {
		if t.Logical == x.logical && t.Refused != nil {
			return t.Refused()
		}
	}
	return ""
}

// refusal is the want of a permission that the handler needs; nil when nothing is wanting.
func (d *deployment) refusal(kind string, x *resource) error {
	action := handlers[x.kind][0]
	if kind == "UPDATE" {
		action = handlers[x.kind][1]
	}
	if action == "" {
		return nil
	}
	access := cloud.Access{Action: action, Resource: x.arn(d.k)}
	if v := d.s.c.Authorize(d.role, d.k.region, access); !v.Allowed {
		return cloud.Denied(d.role, access, v)
	}
	return nil
}

// nest deploys a nested stack and reports whether it failed.
func (d *deployment) nest(kind string, x *resource) bool {
	child := d.s.byID(x.physical)
	at := d.at.Add(between)
	if child == nil {
		name := d.k.name + "-" + x.logical + "-" + strings.ToUpper(uuid(d.k.id, x.logical)[24:])
		child = &stack{account: d.k.account, region: d.k.region, name: name, id: d.s.ID(d.k.account, d.k.region, name), role: d.k.role, created: at,
			parent: d.k, within: under(d.within, x.logical)}
		d.s.stacks = append(d.s.stacks, child)
	}
	how := "CREATE"
	if len(child.operations) > 0 {
		how = "UPDATE"
	}
	d.note(at, x, child.id, kind+"_IN_PROGRESS", "")
	sub := d.s.deploy(child, how, d.role, at, nil)
	x.physical = child.id
	d.at = sub.at.Add(between)
	if sub.o.failed == "" {
		d.note(d.at, x, child.id, kind+"_COMPLETE", "")
		return false
	}
	d.stuck = d.stuck || sub.stuck
	d.note(d.at, x, child.id, kind+"_FAILED", "Embedded stack "+child.id+" was not successfully "+strings.ToLower(how)+"d: "+strings.TrimSpace(sub.o.failed))
	return true
}

// back undoes an update. What somebody deleted past the stack cannot be put back as it was: then the stack is stuck.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
func (d *deployment) back(skip []any) {
	var failed []string
	started := d.at.Add(between)
	d.at = started.Add(making)
	for _, x := range d.k.resources {
		if !x.alive() || x.kind == stackType && !d.stuck && d.s.byID(x.physical).state(d.at) != "UPDATE_ROLLBACK_FAILED" {
			continue
		}
		d.note(started, x, x.physical, "UPDATE_IN_PROGRESS", "")
		h := d.s.hindrances[hindered{d.k.place(), under(d.within, x.logical)}]
		switch {
		case slices.Contains(skip, any(x.logical)):
			d.note(d.at, x, x.physical, "UPDATE_COMPLETE", "")
		case h.kind == Gone:
			failed = append(failed, x.logical)
			d.note(d.at, x, x.physical, "UPDATE_FAILED", h.says(Declared{Logical: x.logical, Type: x.kind}, x.physical, d.s.c.TraceID()))
		case x.kind == stackType && !d.again(x):
			failed = append(failed, x.logical)
			d.note(d.at, x, x.physical, "UPDATE_FAILED", "Embedded stack "+x.physical+" was not successfully rolled back")
		default:
			d.note(d.at, x, x.physical, "UPDATE_COMPLETE", "")
		}
	}
	slices.SortStableFunc(d.o.events, func(a, b event) int { return a.at.Compare(b.at) })
	d.at = d.at.Add(between)
	if d.stuck = len(failed) > 0; d.stuck {
		d.own("UPDATE_ROLLBACK_FAILED", fmt.Sprintf("The following resource(s) failed to update: [%s]. ", strings.Join(failed, ", ")))
		return
	}
	d.own("UPDATE_ROLLBACK_COMPLETE", "")
}

// again continues the rollback of a nested stack that is stuck, and reports whether it is over.
func (d *deployment) again(x *resource) bool {
	child := d.s.byID(x.physical)
	if d.stuck || child == nil { // it has just failed
		return false
	}
	sub := d.s.deploy(child, "CONTINUE", d.role, d.at, nil)
	d.at = sub.at
	return !sub.stuck
}

// remove deletes what the stack has: as the rollback of its creation, or for good.
func (d *deployment) remove(kind string) {
	made := map[*resource]string{}
	var order []*resource
	for _, x := range d.k.resources {
		if x.alive() {
			made[x] = x.physical
			order = append(order, x)
		}
	}
	for _, e := range d.o.events { // what this operation has made itself
		if e.resource == nil {
			continue
		}
		if _, known := made[e.resource]; !known {
			order = append(order, e.resource)
		}
		made[e.resource] = e.physical
	}
	started := d.at.Add(between)
	d.at = started.Add(making)
	var failed []string
	for _, x := range order {
		if made[x] == "" {
			continue
		}
		h := d.s.hindrances[hindered{d.k.place(), under(d.within, x.logical)}]
		d.note(started, x, made[x], "DELETE_IN_PROGRESS", "")
		if h.kind == NotEmpty && kind == "DELETE" {
			failed = append(failed, x.logical)
			d.note(d.at, x, made[x], "DELETE_FAILED", h.says(Declared{Logical: x.logical, Type: x.kind}, made[x], d.s.c.TraceID()))
			continue
		}
		if child := d.s.byID(made[x]); child != nil {
			d.s.deploy(child, "DELETE", d.role, started, nil)
		}
		d.note(d.at, x, made[x], "DELETE_COMPLETE", "")
	}
	slices.SortStableFunc(d.o.events, func(a, b event) int { return a.at.Compare(b.at) })
	d.at = d.at.Add(2 * between)
	if len(failed) > 0 {
		d.o.failed = fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(failed, ", "))
		d.own("DELETE_FAILED", d.o.failed)
		return
	}
	d.own(kind+"_COMPLETE", "")
}

// declared are the resources of a level, those that the stack has among them.
func (k *stack) declared(all []Declared) []*resource {
	var out []*resource
	for _, t := range all {
		i := slices.IndexFunc(k.resources, func(x *resource) bool { return x.logical == t.Logical && x.alive() })
		if i < 0 {
			k.resources = slices.DeleteFunc(k.resources, func(x *resource) bool { return x.logical == t.Logical })
			k.resources = append(k.resources, &resource{logical: t.Logical, kind: t.Type, properties: map[string]any{}})
			i = len(k.resources) - 1
		}
		out = append(out, k.resources[i])
	}
	return out
}

// place is where the template of a stack is declared: a nested one's is part of its root's.
func (k *stack) place() place {
	for k.parent != nil {
		k = k.parent
	}
	return place{k.account, k.region, k.name}
}

// made is the physical ID of a resource: what it has, or what it will have.
func (x *resource) made(k *stack) string {
	if x.physical != "" {
		return x.physical
	}
	return strings.ToLower(k.name + "-" + x.logical + "-" + uuid(k.id, x.logical)[24:])
}

// arn is the ARN on which the handler's permission is checked.
func (x *resource) arn(k *stack) string {
	name := x.made(k)
	switch service := strings.ToLower(strings.Split(x.kind, "::")[1]); service {
	case "s3":
		return "arn:aws:s3:::" + name
	case "iam":
		return "arn:aws:iam::" + k.account + ":role/" + name
	case "cloudformation":
		return "arn:aws:cloudformation:" + k.region + ":" + k.account + ":stack/" + k.name + "-" + x.logical + "-*/*"
	case "ec2":
		return "arn:aws:ec2:" + k.region + ":" + k.account + ":security-group/*"
	case "elasticloadbalancingv2":
		return "arn:aws:elasticloadbalancing:" + k.region + ":" + k.account + ":listener/*"
	case "dynamodb":
		return "arn:aws:dynamodb:" + k.region + ":" + k.account + ":table/" + name
	case "lambda":
		return "arn:aws:lambda:" + k.region + ":" + k.account + ":function:" + name
	default:
		return "arn:aws:" + service + ":" + k.region + ":" + k.account + ":" + name
	}
}
