package world

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/iam"
)

// addPolicy: policy NAME / boundary NAME: a managed policy that roles and users name with policies= or boundary=
func (d *loader) addPolicy(l *line) error {
	name, err := l.word("the policy's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	doc, err := d.policyOf(l)
	if err != nil {
		return err
	}
	if doc == "" {
		return fmt.Errorf("a %s says allow=, deny= or policy=", l.first)
	}
	arn, err := d.lab.IAM.CreateManagedPolicy(account, name, doc)
	d.policies[account+"/"+name] = arn
	return err
}

// addSCP: scp NAME [account=]: a service control policy on the account
func (d *loader) addSCP(l *line) error {
	name, err := l.word("the policy's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	return d.putSCP(account, name, l)
}

// putSCP sets a service control policy; one that only denies stands beside FullAWSAccess.
func (d *loader) putSCP(account, name string, l *line) error {
	doc, err := d.policyOf(l)
	if err != nil {
		return err
	}
	if doc == "" {
		return fmt.Errorf("an scp says allow=, deny= or policy=")
	}
	return d.lab.IAM.SetSCP(account, name, doc)
}

// addRole: role NAME [for=SERVICE] [allow=] [deny=] [policy=] [policies=] [boundary=] [path=] [trust=] [account=]
func (d *loader) addRole(l *line) error {
	name, err := l.word("the role's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	if _, twice := d.roles[account+"/"+name]; twice {
		return fmt.Errorf("the role %s stands twice", name)
	}
	path := "/"
	if strings.HasPrefix(name, "AWSReservedSSO_") {
		path = "/aws-reserved/sso.amazonaws.com/"
	}
	trust := trustOf(account, l.opt("for", ""))
	if l.has("trust") {
		trust = l.opt("trust", "")
	}
	if err := d.makeRole(account, name, l.opt("path", path), trust); err != nil {
		return err
	}
	return d.policiesOf(l, account, "role", name)
}

func (d *loader) makeRole(account, name, path, trust string) error {
	r, err := d.lab.IAM.CreateRole(account, name, path, trust)
	if err != nil {
		return err
	}
	d.roles[account+"/"+name], d.w.arns[name] = r.ARN, r.ARN
	return nil
}

// trustOf is the trust policy of a role for a service, or for the account itself.
func trustOf(account, service string) string {
	if service != "" {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, service)
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"sts:AssumeRole"}]}`, account)
}

// addUser: user NAME [allow=] [deny=] [policy=] [policies=] [boundary=] [account=]
func (d *loader) addUser(l *line) error {
	name, err := l.word("the user's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	u, err := d.lab.IAM.CreateUser(account, name, l.opt("path", "/"))
	if err != nil {
		return err
	}
	d.users[account+"/"+name] = u.ARN
	return d.policiesOf(l, account, "user", name)
}

// policiesOf gives a role or user what its line grants.
func (d *loader) policiesOf(l *line, account, kind, name string) error {
	l.subject = name
	doc, err := d.policyOf(l)
	if err != nil {
		return err
	}
	put, attach := d.lab.IAM.PutRolePolicy, d.lab.IAM.AttachRolePolicy
	if kind == "user" {
		put, attach = d.lab.IAM.PutUserPolicy, d.lab.IAM.AttachUserPolicy
	}
	if doc != "" {
		if err := put(account, name, "inline", doc); err != nil {
			return err
		}
	}
	for _, p := range l.list("policies") {
		if err := attach(account, name, d.managedARN(account, p)); err != nil {
			return err
		}
	}
	if b := l.opt("boundary", ""); b != "" {
		return d.lab.IAM.SetBoundary(account, name, d.managedARN(account, b))
	}
	return nil
}

// managedARN is the ARN of a managed policy: one of the world's own by name, else one of AWS's.
func (d *loader) managedARN(account, name string) string {
	if arn, ok := d.policies[account+"/"+name]; ok {
		return arn
	}
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:iam::aws:policy/" + name
}

// addCaller: caller NAME [you] role=|user=|root=yes [session=] [agent=] [ip=] [expires=] [mfa=yes] [session-policy=] [account=]
func (d *loader) addCaller(l *line) error {
	name, err := l.word("the caller's name")
	if err != nil {
		return err
	}
	you := l.skip("you")
	if d.c.CallerByName(name) != nil {
		return fmt.Errorf("the caller %s stands twice", name)
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	k := &cloud.Caller{Name: name, Created: d.c.Now(), MFA: l.opt("mfa", "") == "yes"}
	if k.Principal, err = d.principal(l, account, name); err != nil {
		return err
	}
	l.subject = name
	k.SessionPolicy = l.opt("session-policy", k.SessionPolicy)
	credentials(k)
	if err := d.sessionOf(l, k); err != nil {
		return err
	}
	if err := d.expiry(l, k); err != nil {
		return err
	}
	if d.origins[name], err = originOf(l); err != nil {
		return err
	}
	if k.Place, err = d.placeOf(l); err != nil {
		return err
	}
	d.c.AddCaller(k)
	d.w.Callers = append(d.w.Callers, k)
	if you {
		if d.w.Default != nil {
			return fmt.Errorf("there are two callers marked `you`: %s and %s", d.w.Default.Name, name)
		}
		d.w.Default = k
	}
	return nil
}

func (d *loader) principal(l *line, account, name string) (cloud.Principal, error) {
	role, user := l.opt("role", ""), l.opt("user", "")
	session := l.opt("session", name)
	switch {
	case role != "" && user != "" || l.opt("root", "") != "" && role+user != "":
		return cloud.Principal{}, fmt.Errorf("a caller has one of role=, user= and root=")
	case role != "":
		if _, ok := d.roles[account+"/"+role]; !ok {
			return cloud.Principal{}, fmt.Errorf("there is no role %q in account %s", role, account)
		}
		return d.lab.IAM.RolePrincipal(account, role, session), nil
	case user != "":
		if _, ok := d.users[account+"/"+user]; !ok {
			return cloud.Principal{}, fmt.Errorf("there is no user %q in account %s", user, account)
		}
		return d.federated(l, d.lab.IAM.UserPrincipal(account, user)), nil
	case l.opt("root", "") == "yes":
		return iam.RootPrincipal(account), nil
	}
	return cloud.Principal{}, fmt.Errorf("a caller has role=, user= or root=yes")
}

// expiry reads expires=: a time after or before the world's present (+45m, -5m). Without it sessions never expire, so
// that a world stays of use for as long as it is served.
func (d *loader) expiry(l *line, k *cloud.Caller) error {
	v := l.opt("expires", "")
	if v == "" {
		return nil
	}
	t, err := d.offset(v)
	if err != nil {
		return fmt.Errorf("expires=: %w", err)
	}
	k.Expires = t
	return nil
}

// credentials derives a caller's keys from its name, so that they are the same in every run. They open nothing but
// the lab.
func credentials(k *cloud.Caller) {
	sum := sha256.Sum256([]byte("unjam lab caller " + k.Account + " " + k.Name))
	id := base32.StdEncoding.EncodeToString(sum[:10])
	k.SecretAccessKey = base64.StdEncoding.EncodeToString(sum[2:32])
	if k.Type == "AssumedRole" || k.Type == "FederatedUser" {
		k.AccessKeyID = "ASIA" + id
		k.SessionToken = base64.StdEncoding.EncodeToString([]byte("unjam lab session of " + k.Name + " in " + k.Account + "; opens nothing"))
		return
	}
	k.AccessKeyID = "AKIA" + id
}

// origin is how a caller's calls look from outside.
type origin struct {
	cloud.Origin
	tool  string // terraform, cloudformation, console, cli, boto3, cdk, pulumi or custom
	stack string // cloudformation: the stack's name
}

func originOf(l *line) (origin, error) {
	o := origin{tool: l.opt("agent", "cli"), stack: l.opt("stack", "")}
	ip := map[string]string{"console": "203.0.113.24", "cli": "203.0.113.57", "terraform": "198.51.100.17", "boto3": "198.51.100.40", "cdk": "198.51.100.52", "pulumi": "198.51.100.63"}
	switch o.tool {
	case "console":
		o.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
	case "cli":
		o.UserAgent = "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard"
	case "terraform":
		o.UserAgent = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.76.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.32.5 ua/2.1 os/linux lang/go#1.23.2 md/GOOS#linux md/GOARCH#amd64"
	case "boto3":
		o.UserAgent = "Boto3/1.35.70 md/Botocore#1.35.70 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython cfg/retry-mode#standard"
	case "cdk":
		o.UserAgent = "aws-sdk-js/3.699.0 ua/2.1 os/linux#6.1.0 lang/js md/nodejs#20.18.1 api/sts#3.699.0 cfg/retry-mode#standard app/aws-cdk aws-cdk/2.171.1"
	case "pulumi":
		o.UserAgent = "APN/1.0 Pulumi/1.0 (+https://www.pulumi.com) pulumi-aws/6.61.0 aws-sdk-go-v2/1.32.5 ua/2.1 os/linux lang/go#1.23.2 md/GOOS#linux md/GOARCH#amd64"
	case "cloudformation":
		o.Origin = cloud.Origin{UserAgent: "cloudformation.amazonaws.com", SourceIP: "cloudformation.amazonaws.com", InvokedBy: "cloudformation.amazonaws.com"}
		if o.stack == "" {
			return o, fmt.Errorf("agent=cloudformation needs stack=NAME")
		}
	default:
		if !strings.ContainsAny(o.tool, "/ ") {
			return o, fmt.Errorf("agent= is console, cli, terraform, boto3, cdk, pulumi, cloudformation or a whole User-Agent such as \"mytool/1.0\", not %q", o.tool)
		}
		o.UserAgent, o.tool = o.tool, "custom"
	}
	if o.stack != "" && o.tool != "cloudformation" {
		return o, fmt.Errorf("stack= goes with agent=cloudformation")
	}
	if o.SourceIP == "" {
		o.SourceIP = "203.0.113.90"
		if known, ok := ip[o.tool]; ok {
			o.SourceIP = known
		}
	}
	o.SourceIP = l.opt("ip", o.SourceIP)
	return o, nil
}

// offset reads a time relative to the world's present: -21d, +5m, now.
func (d *loader) offset(s string) (time.Time, error) {
	if s == "now" {
		return d.now, nil
	}
	if s == "" || !slices.Contains([]byte("+-"), s[0]) {
		return d.now, fmt.Errorf("%q is no time: write -21d, -3h, -1d12h, +5m or now", s)
	}
	v, err := duration(s[1:])
	if err != nil {
		return d.now, err
	}
	if s[0] == '-' {
		v = -v
	}
	return d.now.Add(v), nil
}

// isOffset tells a line that begins with a time from one that begins with a word.
func isOffset(s string) bool {
	return s == "now" || len(s) > 1 && (s[0] == '-' || s[0] == '+')
}
