package world

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/health"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/svc/servicequotas"
)

// addOrganization: organization [management=ACCOUNT] [id=o-...] [accounts=] [delegated=]: without accounts= all of the
// world's accounts are in it; the first account manages it when no other is named.
func (d *loader) addOrganization(l *line) error {
	o := iam.Organization{ID: l.opt("id", "o-lab0000001"), Management: d.anyAccount(l.opt("management", d.account))}
	for _, name := range l.list("accounts") {
		o.Members = append(o.Members, d.anyAccount(name))
	}
	for _, name := range l.list("delegated") {
		o.Delegated = append(o.Delegated, d.anyAccount(name))
	}
	if len(o.Members) == 0 {
		for _, a := range d.c.Accounts() {
			o.Members = append(o.Members, a.ID)
		}
	}
	for _, id := range slices.Concat([]string{o.Management}, o.Members, o.Delegated) {
		if !accountID.MatchString(id) {
			return fmt.Errorf("%q is neither an account of this world nor a 12-digit account ID", id)
		}
	}
	return d.lab.IAM.SetOrganization(o)
}

// anyAccount is the ID of an account of the world, or the word itself: an organisation has accounts that the world has not.
func (d *loader) anyAccount(name string) string {
	if id, ok := d.accounts[name]; ok {
		return id
	}
	return name
}

// addRCP: rcp NAME deny= [account=]: a resource control policy on the account's resources
func (d *loader) addRCP(l *line) error {
	name, err := l.word("the policy's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	return d.putRCP(account, name, l)
}

func (d *loader) putRCP(account, name string, l *line) error {
	doc, err := d.resourcePolicyOf(l)
	if err != nil {
		return err
	}
	if doc == "" {
		return fmt.Errorf("an rcp says deny= or policy=")
	}
	return d.lab.IAM.SetRCP(account, name, doc)
}

// resourcePolicyOf reads a line's policy as one that names principals: statements that name none mean everybody.
func (d *loader) resourcePolicyOf(l *line) (string, error) {
	doc, err := d.policyOf(l)
	if err != nil || doc == "" {
		return "", err
	}
	var whole map[string]any
	if err := json.Unmarshal([]byte(doc), &whole); err != nil {
		return "", fmt.Errorf("policy= is no JSON document: %w", err)
	}
	statements, ok := whole["Statement"].([]any)
	if !ok {
		statements = []any{whole["Statement"]}
	}
	for _, s := range statements {
		if m, ok := s.(map[string]any); ok && m["Principal"] == nil && m["NotPrincipal"] == nil {
			m["Principal"] = "*"
		}
	}
	out, err := json.Marshal(whole)
	return string(out), err
}

// addSupport: support ACCOUNT plan=basic|developer|business|enterprise-on-ramp|enterprise
func (d *loader) addSupport(l *line) error {
	name, err := l.word("the account")
	if err != nil {
		return err
	}
	id, ok := d.accounts[name]
	if !ok {
		return fmt.Errorf("there is no account %q", name)
	}
	return d.lab.Health.SetPlan(id, l.opt("plan", "basic"))
}

// addQuota: quota CODE value= [account=] [region=], or quota connections=5 hosts=2 L-78D200AD=10 [account=] [region=]
func (d *loader) addQuota(l *line) error {
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	region := l.opt("region", "")
	values := map[string]string{}
	if len(l.words) > 0 {
		name, err := l.word("the quota")
		if err != nil {
			return err
		}
		values[name] = l.opt("value", "")
	}
	for name := range l.opts {
		if servicequotas.Known(name) {
			values[name] = l.opt(name, "")
		}
	}
	if len(values) == 0 {
		return fmt.Errorf("which quota? write a code of CodePipeline such as L-78D200AD, or connections or hosts")
	}
	for name, text := range values {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("the quota %s is a number, not %q", name, text)
		}
		if !servicequotas.Known(name) {
			return fmt.Errorf("there is no quota %q: write a code of CodePipeline such as L-78D200AD, or connections or hosts", name)
		}
		d.c.SetLimit(account, region, name, n)
	}
	return nil
}

// addAnalyzer: analyzer NAME [account=] [region=]: an analyzer of external access in IAM Access Analyzer
func (d *loader) addAnalyzer(l *line) error {
	name, err := l.word("the analyzer's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	return d.lab.Analyzer.AddAnalyzer(account, l.opt("region", d.regions[account]), name)
}

// addProject: project NAME [role=] [vpc= subnets= groups=] [region=] [account=]: a CodeBuild project. Those that pipelines
// name exist without it.
func (d *loader) addProject(l *line) error {
	name, err := l.word("the project's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	p := codebuild.Project{Account: account, Region: l.opt("region", d.regions[account]), Name: name, Role: l.opt("role", ""), VPC: d.named(l.opt("vpc", ""))}
	if role, ok := d.roles[account+"/"+p.Role]; ok {
		p.Role = role
	} else if p.Role != "" && !strings.HasPrefix(p.Role, "arn:") {
		return fmt.Errorf("there is no role %q in account %s", p.Role, account)
	}
	if p.Role == "" {
		if err := d.buildRole(account); err != nil {
			return err
		}
	}
	for _, s := range l.list("subnets") {
		p.Subnets = append(p.Subnets, d.named(s))
	}
	for _, g := range l.list("groups") {
		p.Groups = append(p.Groups, d.named(g))
	}
	if (p.VPC == "") != (len(p.Subnets) == 0) || (p.VPC == "") != (len(p.Groups) == 0) {
		return fmt.Errorf("vpc=, subnets= and groups= go together")
	}
	d.lab.Builds.SetProject(p)
	d.w.arns[name] = p.ARN()
	return nil
}

// addTopic: topic NAME [region=] [account=]: a topic of Amazon SNS
func (d *loader) addTopic(l *line) error {
	name, err := l.word("the topic's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	d.w.arns[name], err = d.lab.Topics.AddTopic(account, l.opt("region", d.regions[account]), name)
	return err
}

// named is what the world calls name, or the word itself.
func (d *loader) named(name string) string {
	if id := d.w.arns[name]; id != "" {
		return id
	}
	return name
}

// buildPolicy is what the default role of build projects may do: what the console gives it, and to use every connection.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html#codebuild-role-connections
const buildPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents",` +
	`"s3:GetObject","s3:GetObjectVersion","s3:PutObject","s3:GetBucketAcl","s3:GetBucketLocation","codeconnections:UseConnection",` +
	`"codestar-connections:UseConnection"],"Resource":"*"}]}`

// buildRole makes an account's default role of build projects, unless the world has one of that name.
func (d *loader) buildRole(account string) error {
	r, err := d.lab.IAM.CreateServiceRole(account, codebuild.DefaultRole, "codebuild.amazonaws.com", buildPolicy)
	if err != nil {
		return err
	}
	d.roles[account+"/"+codebuild.DefaultRole] = r.ARN
	if d.w.arns[codebuild.DefaultRole] == "" {
		d.w.arns[codebuild.DefaultRole] = r.ARN
	}
	return nil
}

// standbyBuilds makes the default role of build projects in every account in which a pipeline is created.
func (d *loader) standbyBuilds() error {
	for _, a := range d.acts {
		if a.verb != "creates" || len(a.words) == 0 || a.words[0] != "pipeline" {
			continue
		}
		if k := d.c.CallerByName(a.actor); k != nil {
			if err := d.buildRole(k.Account); err != nil {
				return at(a.no, err)
			}
		}
	}
	return nil
}

// reports: aws reports SERVICE "text" [region=] [status=open|closed] [affects=NAME,...] [account=]
func (d *loader) reports(a *act) error {
	if a.actor != "aws" {
		return fmt.Errorf("only aws reports trouble of its own")
	}
	service, err := a.word("the service, as AWS Health spells it: CODEPIPELINE")
	if err != nil {
		return err
	}
	text, err := a.word("what AWS reports")
	if err != nil {
		return err
	}
	e := health.Event{Service: service, Text: text, Region: a.opt("region", d.regions[d.account]), Status: a.opt("status", "open")}
	if e.Service != strings.ToUpper(e.Service) || !slices.Contains([]string{"open", "closed"}, e.Status) {
		return fmt.Errorf("a service is written in capitals, and status= is open or closed")
	}
	if a.has("account") {
		if e.Account, err = d.accountOf(a.line); err != nil {
			return err
		}
	}
	for _, name := range a.list("affects") {
		e.Affected = append(e.Affected, d.named(name))
	}
	d.lab.Health.Report(e)
	return nil
}
