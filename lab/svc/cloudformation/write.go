package cloudformation

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// toDeploy is the access to the stack, and to the role that the request hands over.
func (s *Service) toDeploy(r *cloud.Request) []cloud.Access {
	all := s.onStack(r)
	if role := r.Str("RoleARN"); role != "" {
		all = append(all, cloud.Access{Action: "iam:PassRole", Resource: role, Context: map[string][]string{"iam:PassedToService": {principal}}})
	}
	return all
}

// principal is the service as trust policies name it.
const principal = "cloudformation.amazonaws.com"

// living is the stack of a name that is not deleted; nil when there is none.
func (s *Service) living(at place) *stack {
	for _, k := range s.stacks {
		if k.place() == at && k.parent == nil && k.state(s.c.Now()) != "DELETE_COMPLETE" {
			return k
		}
	}
	return nil
}

// order is what a caller wants of a stack.
type order struct {
	place
	caller       cloud.Principal
	role         string // ARN of the role to hand over; "" works as the caller, or with the role that the stack has
	capabilities []string
	revision     string // of the artifact that holds the template; "" is always a change
}

func orderOf(r *cloud.Request) order {
	o := order{place: place{r.Account(), r.Region, r.Str("StackName")}, caller: r.Caller, role: r.Str("RoleARN")}
	for _, c := range r.List("Capabilities") {
		if text, ok := c.(string); ok {
			o.capabilities = append(o.capabilities, text)
		}
	}
	return o
}

// hand is who the handlers of a stack are: the role that was handed over, now or earlier, else the caller.
func (s *Service) hand(o order, k *stack) (cloud.Principal, *cloud.Error) {
	role := o.role
	if role == "" && k != nil {
		role = k.role
	}
	if role == "" || s.roles == nil {
		return o.caller, nil
	}
	p, exists := s.roles.RolePrincipalByARN(role, "AWSCloudFormation")
	if !exists || !s.roles.MayAssume(cloud.Principal{Type: "AWSService", Account: o.account, ARN: principal}, role).Allowed {
		return p, cloud.Errorf(cloud.ValidationError, "Role %s is invalid or cannot be assumed", role)
	}
	return p, nil
}

// capable refuses a template that demands what the caller did not acknowledge.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
func (s *Service) capable(o order) *cloud.Error {
	if need := s.template(o.place).demands(); need != "" && !slices.Contains(o.capabilities, need) {
		return cloud.Errorf("InsufficientCapabilitiesException", "Requires capabilities : [%s]", need)
	}
	return nil
}

// busy reports whether a stack is in a state in which nothing else can begin. One that only a change set has made waits for it.
func busy(state string) bool {
	return strings.HasSuffix(state, "_IN_PROGRESS") && state != "REVIEW_IN_PROGRESS"
}

// create begins a stack.
func (s *Service) create(o order) (*stack, *cloud.Error) {
	if s.living(o.place) != nil {
		return nil, cloud.Errorf("AlreadyExistsException", "Stack [%s] already exists", o.name)
	}
	if err := s.capable(o); err != nil {
		return nil, err
	}
	hand, err := s.hand(o, nil)
	if err != nil {
		return nil, err
	}
	k := &stack{account: o.account, region: o.region, name: o.name, id: s.ID(o.account, o.region, o.name), created: s.c.Now()}
	s.stacks = append(s.stacks, k)
	s.begun(k, o, s.deploy(k, "CREATE", hand, s.c.Now(), nil))
	return k, nil
}

// begun remembers with what a stack is deployed.
func (s *Service) begun(k *stack, o order, d *deployment) {
	k.capabilities = o.capabilities
	if o.role != "" {
		k.role = o.role
	}
	if d.o.failed == "" {
		k.good = o.revision
	}
}

// updatable are the states from which a stack can be updated.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
func updatable(state string) bool {
	return slices.Contains([]string{"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}, state)
}

// update begins an update. Without a change there is nothing to do, which is an error.
func (s *Service) update(o order) (*stack, *cloud.Error) {
	k := s.living(o.place)
	if k == nil {
		return nil, cloud.Errorf(cloud.ValidationError, "Stack [%s] does not exist", o.name)
	}
	if state := k.state(s.c.Now()); !updatable(state) {
		return nil, cloud.Errorf(cloud.ValidationError, "Stack:%s is in %s state and can not be updated.", k.id, state)
	}
	if err := s.capable(o); err != nil {
		return nil, err
	}
	hand, err := s.hand(o, k)
	if err != nil {
		return nil, err
	}
	if o.revision != "" && o.revision == k.good {
		return nil, cloud.Errorf(cloud.ValidationError, "%s", noUpdates)
	}
	s.begun(k, o, s.deploy(k, "UPDATE", hand, s.c.Now(), nil))
	return k, nil
}

// noUpdates is what CloudFormation says of an update without a change.
const noUpdates = "No updates are to be performed."

// drop begins the deletion of a stack; nil when there is none, which is no error.
func (s *Service) drop(o order) (*stack, *cloud.Error) {
	k := s.living(o.place)
	if k == nil {
		return nil, nil
	}
	if state := k.state(s.c.Now()); busy(state) && state != "CREATE_IN_PROGRESS" {
		return nil, cloud.Errorf(cloud.ValidationError, "Stack [%s] cannot be deleted while in status %s", k.name, state)
	}
	hand, err := s.hand(o, k)
	if err != nil {
		return nil, err
	}
	s.deploy(k, "DELETE", hand, s.c.Now(), nil)
	s.sets = slices.DeleteFunc(s.sets, func(c *changeSet) bool { return c.stack == k })
	return k, nil
}

// bodied demands a template, which the lab does not read: worlds say what is in it.
func bodied(r *cloud.Request) error {
	if r.Str("TemplateBody") == "" && r.Str("TemplateURL") == "" && !r.Bool("UsePreviousTemplate") {
		return invalid("Either Template URL or Template Body must be specified.")
	}
	return required(r, "StackName")
}

func idOf(k *stack, err *cloud.Error) (map[string]any, error) {
	if err != nil {
		return nil, err
	}
	return map[string]any{"StackId": k.id}, nil
}

func (s *Service) createStack(r *cloud.Request) (map[string]any, error) {
	if err := bodied(r); err != nil {
		return nil, err
	}
	return idOf(s.create(orderOf(r)))
}

func (s *Service) updateStack(r *cloud.Request) (map[string]any, error) {
	if err := bodied(r); err != nil {
		return nil, err
	}
	return idOf(s.update(s.byName(r)))
}

// byName is the order for a stack that is named by name or ARN.
func (s *Service) byName(r *cloud.Request) order {
	o := orderOf(r)
	if k := s.byID(o.name); k != nil {
		o.name = k.name
	}
	return o
}

func (s *Service) deleteStack(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "StackName"); err != nil {
		return nil, err
	}
	if _, err := s.drop(s.byName(r)); err != nil {
		return nil, err
	}
	return nil, nil
}

// continueRollback goes on with a rollback that failed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
func (s *Service) continueRollback(r *cloud.Request) (map[string]any, error) {
	if err := required(r, "StackName"); err != nil {
		return nil, err
	}
	k := s.living(s.byName(r).place)
	if k == nil {
		return nil, invalid("Stack [%s] does not exist", r.Str("StackName"))
	}
	if state := k.state(s.c.Now()); state != "UPDATE_ROLLBACK_FAILED" {
		return nil, invalid("Stack:%s is in %s state and can not continue rollback.", k.id, state)
	}
	hand, refused := s.hand(s.byName(r), k)
	if refused != nil {
		return nil, refused
	}
	s.deploy(k, "CONTINUE", hand, s.c.Now(), r.List("ResourcesToSkip"))
	return map[string]any{}, nil
}
