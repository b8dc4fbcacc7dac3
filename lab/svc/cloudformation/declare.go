package cloudformation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Roles finds the roles that stacks are deployed with.
type Roles interface {
	// RolePrincipalByARN is a session of a role; false when the role does not exist.
	RolePrincipalByARN(arn, session string) (cloud.Principal, bool)
	// MayAssume judges a role's trust policy.
	MayAssume(p cloud.Principal, roleARN string) cloud.Decision
}

// Template is what the template of a stack holds. The lab reads no template: worlds say what is in it.
type Template struct {
	Path      string // of the file in the artifact that a pipeline deploys; "" is any
	Resources []Declared
}

// Declared is a resource of a template. Within is the logical ID of the nested stack that it is part of, or several with slashes
// between them; "" in the template itself. Refused, where it is set, is asked whenever the handler works: why the service does not take
// what the resource refers to, in the service's own words; "" when it takes it.
type Declared struct {
	Within, Logical, Type string
	Refused               func() string
}

// Hindrance is what is in the way of a resource's handler.
type Hindrance string

// The hindrances. Each is a state of the account or of the template, which the handler runs into when a stack is deployed.
const (
	NameTaken Hindrance = "name-taken" // somebody else has the name
	Full      Hindrance = "quota"      // the account has as many of them as it may
	Invalid   Hindrance = "invalid"    // the template sets a property to what the service does not take
	Gone      Hindrance = "gone"       // somebody deleted it past the stack: neither an update nor its rollback finds it
	NotEmpty  Hindrance = "not-empty"  // it holds data: it cannot be deleted
	Slow      Hindrance = "slow"       // making or changing it takes hours
)

// slowness is how long a slow resource takes.
const slowness = 3 * time.Hour

// stackType is the type of nested stacks.
const stackType = "AWS::CloudFormation::Stack"

// handlers are the types that templates can declare, with the IAM actions that making and changing one takes; "" demands nothing.
// Service Authorization Reference, Amazon S3 and so on.
var handlers = map[string][2]string{
	"AWS::S3::Bucket":                          {"s3:CreateBucket", "s3:PutBucketTagging"},
	"AWS::SQS::Queue":                          {"sqs:CreateQueue", "sqs:SetQueueAttributes"},
	"AWS::SNS::Topic":                          {"sns:CreateTopic", "sns:SetTopicAttributes"},
	"AWS::DynamoDB::Table":                     {"dynamodb:CreateTable", "dynamodb:UpdateTable"},
	"AWS::Lambda::Function":                    {"lambda:CreateFunction", "lambda:UpdateFunctionCode"},
	"AWS::EC2::SecurityGroup":                  {"ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress"},
	"AWS::IAM::Role":                           {"iam:CreateRole", "iam:PutRolePolicy"},
	"AWS::ElasticLoadBalancingV2::Listener":    {"elasticloadbalancing:CreateListener", "elasticloadbalancing:ModifyListener"},
	"AWS::CloudFormation::WaitConditionHandle": {"", ""},
	stackType: {"cloudformation:CreateStack", "cloudformation:UpdateStack"},
}

// plainTemplate is the template of a stack of which no world says anything: it demands nothing of anybody.
func plainTemplate() Template {
	return Template{Resources: []Declared{{Logical: "Nothing", Type: "AWS::CloudFormation::WaitConditionHandle"}}}
}

// ActAs says who knows the roles that stacks are deployed with. Without one every role can be assumed.
func (s *Service) ActAs(r Roles) { s.roles = r }

// Declare says what is in the template of a stack that pipelines and people deploy. A nested stack comes before what is in it.
func (s *Service) Declare(account, region, name string, t Template) error {
	nested := map[string]bool{"": true}
	for _, d := range t.Resources {
		if _, ok := handlers[d.Type]; !ok {
			return fmt.Errorf("declare stack %s: the lab has no resource of type %q", name, d.Type)
		}
		if !nested[d.Within] {
			return fmt.Errorf("declare stack %s: %s is within %s, which is no nested stack above it", name, d.Logical, d.Within)
		}
		if d.Type == stackType {
			nested[under(d.Within, d.Logical)] = true
		}
	}
	s.templates[place{account, region, name}] = t
	return nil
}

// Hinder puts something in the way of a resource of a declared template, LOGICAL or NESTED/LOGICAL; kind "" takes it away again. text is
// what the service behind the resource says, "" its usual words.
func (s *Service) Hinder(account, region, name, resource string, kind Hindrance, text string) error {
	at := place{account, region, name}
	if !slices.ContainsFunc(s.template(at).Resources, func(d Declared) bool { return under(d.Within, d.Logical) == resource }) {
		return fmt.Errorf("hinder %s: the template of %s does not declare it", resource, name)
	}
	key := hindered{at, resource}
	switch kind {
	case "":
		delete(s.hindrances, key)
		return nil
	case NameTaken, Full, Invalid, Gone, NotEmpty, Slow:
		s.hindrances[key] = hindrance{kind, text}
		return nil
	}
	return fmt.Errorf("hinder %s: %q is none of name-taken, quota, invalid, gone, not-empty, slow", resource, kind)
}

// place names a stack before it exists.
type place struct{ account, region, name string }

type hindered struct {
	place
	resource string
}

type hindrance struct {
	kind Hindrance
	text string
}

func (s *Service) template(at place) Template {
	if t, ok := s.templates[at]; ok {
		return t
	}
	return plainTemplate()
}

func under(within, logical string) string {
	if within == "" {
		return logical
	}
	return within + "/" + logical
}

// level are the resources of one template: of the stack itself or of a nested one.
func (t Template) level(within string) []Declared {
	var all []Declared
	for _, d := range t.Resources {
		if d.Within == within {
			all = append(all, d)
		}
	}
	return all
}

// demands is the capability that deploying a template takes, "" for none. Roles here have names of their own.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
func (t Template) demands() string {
	if slices.ContainsFunc(t.Resources, func(d Declared) bool { return strings.HasPrefix(d.Type, "AWS::IAM::") }) {
		return "CAPABILITY_NAMED_IAM"
	}
	return ""
}

// says words what a handler reports of a hindrance. Only the code at the end is from AWS's documentation; services word the rest.
// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
func (h hindrance) says(d Declared, physical, requestID string) string {
	text, code := h.text, "GeneralServiceException"
	usual := map[Hindrance][2]string{
		NameTaken: {physical + " already exists", "AlreadyExists"},
		Full:      {"Resource limit exceeded: the maximum number of " + d.Type + " for this account has been reached", "ServiceLimitExceeded"},
		Invalid:   {"Model validation failed (#: required key [Name] not found)", "InvalidRequest"},
		Gone:      {"Resource of type '" + d.Type + "' with identifier '" + physical + "' was not found.", "NotFound"},
		NotEmpty:  {"The bucket you tried to delete is not empty", "GeneralServiceException"},
	}
	if u, ok := usual[h.kind]; ok {
		code = u[1]
		if text == "" {
			text = u[0]
		}
	}
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", text, requestID, code)
}
