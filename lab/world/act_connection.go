package world

import (
	"fmt"
	"slices"
	"strings"
)

// creates: ACTOR creates connection|host|pipeline|endpoint NAME ..., or what uses a connection beside pipelines
func (d *loader) creates(a *act) error {
	kind, err := a.word("what is created: connection, host or pipeline")
	if err != nil {
		return err
	}
	name, err := a.word("the name of the " + kind)
	if err != nil {
		return err
	}
	a.subject = name
	switch kind {
	case "connection":
		return d.createConnection(a, name)
	case "host":
		return d.createHost(a, name)
	case "pipeline":
		return d.createPipeline(a, name)
	case "endpoint":
		return d.createEndpoint(a, name)
	case "zone":
		return d.createZone(a, name)
	case "bucket":
		return d.createBucket(a, name)
	case "repository":
		return d.createRepository(a, name)
	case "rule":
		return d.createRule(a, name)
	}
	if do := d.consumers()[kind]; do != nil {
		return do(a, name)
	}
	return fmt.Errorf("%q cannot be created by an act: connection, host, pipeline, endpoint, zone, bucket, repository, rule, alarm, project, credential, link, app, product or review", kind)
}

// apiOf is the API a line names with api=: the new one, or codestar for the older.
func apiOf(a *act) (string, error) {
	switch api := a.opt("api", "codeconnections"); api {
	case "codeconnections":
		return api, nil
	case "codestar", "codestar-connections":
		return "codestar-connections", nil
	default:
		return "", fmt.Errorf("api= is codeconnections or codestar, not %q", api)
	}
}

// createConnection: creates connection NAME [provider=|host=] [region=] [api=codestar] [tags=k:v,...]
func (d *loader) createConnection(a *act, name string) error {
	in := map[string]any{"ConnectionName": name}
	if h := a.opt("host", ""); h != "" {
		host := d.things[h]
		if host == nil || host.kind != "host" {
			return fmt.Errorf("there is no host called %q by then", h)
		}
		in["HostArn"] = host.arn
		a.opt("provider", "")
	} else {
		in["ProviderType"] = providerType(a.opt("provider", "GitHub"))
	}
	return d.create(a, "connection", "ConnectionArn", in)
}

// providerType takes the API's spelling or the word that begins an organisation's line.
func providerType(s string) string {
	if t, ok := providerWords()[s]; ok {
		return t
	}
	return s
}

// createHost: creates host NAME provider=ghes url= [vpc= subnets= groups= tls=] [region=] [api=codestar] [tags=]
func (d *loader) createHost(a *act, name string) error {
	in := map[string]any{
		"Name": name, "ProviderType": providerType(a.opt("provider", "ghes")), "ProviderEndpoint": a.opt("url", "https://ghes.example"),
	}
	if vpc := d.vpcOf(a); vpc != nil {
		in["VpcConfiguration"] = vpc
	}
	return d.create(a, "host", "HostArn", in)
}

// vpcOf is the VPC a line puts a host into, by names or IDs; nil when it names none.
func (d *loader) vpcOf(a *act) map[string]any {
	vpc := d.networkIDs("vpc", []string{a.opt("vpc", "")})[0]
	subnets, groups, tls := d.networkIDs("subnet", a.list("subnets")), d.networkIDs("group", a.list("groups")), a.opt("tls", "")
	if vpc == "" {
		return nil
	}
	conf := map[string]any{"VpcId": vpc, "SubnetIds": subnets, "SecurityGroupIds": groups}
	if tls != "" {
		conf["TlsCertificate"] = tls
	}
	return conf
}

func (d *loader) updateHost(a *act, t *thing) error {
	in := map[string]any{"HostArn": t.arn}
	if url := a.opt("url", ""); url != "" {
		in["ProviderEndpoint"] = url
	}
	if vpc := d.vpcOf(a); vpc != nil {
		in["VpcConfiguration"] = vpc
	}
	_, err := d.call(a, t.api, "UpdateHost", t.region, in)
	return err
}

// create calls CreateConnection or CreateHost and remembers what came of it.
func (d *loader) create(a *act, kind, member string, in map[string]any) error {
	api, err := apiOf(a)
	if err != nil {
		return err
	}
	tags, err := d.tagsOf(a, a.list("tags"), in)
	if err != nil {
		return err
	}
	if len(tags) > 0 {
		in["Tags"] = tags
	}
	return d.make(a, &thing{kind: kind, name: a.subject, region: d.regionOf(a), api: api, made: in}, member)
}

// make runs the create call of a thing.
func (d *loader) make(a *act, t *thing, member string) error {
	op := "CreateConnection"
	if t.kind == "host" {
		op = "CreateHost"
	}
	out, err := d.call(a, t.api, op, t.region, t.made)
	if err != nil {
		return err
	}
	t.arn = text(out, member)
	t.account = strings.Split(t.arn+":::::", ":")[4]
	d.keep(t)
	return nil
}

// tagsOf are a line's tags; CloudFormation adds its own.
func (d *loader) tagsOf(a *act, list []string, in map[string]any) ([]any, error) {
	var tags []any
	for _, kv := range list {
		k, v, ok := strings.Cut(kv, ":")
		if !ok {
			return nil, fmt.Errorf("%q is no tag: write key:value", kv)
		}
		tags = append(tags, map[string]any{"Key": k, "Value": v})
	}
	o := d.origins[a.actor]
	if o.tool != "cloudformation" || in == nil {
		return tags, nil
	}
	account := d.account
	if k := d.c.CallerByName(a.actor); k != nil {
		account = k.Account
	}
	id := d.lab.Stacks.ID(account, d.regionOf(a), o.stack)
	for _, t := range [][2]string{{"stack-name", o.stack}, {"stack-id", id}, {"logical-id", logicalID(a.subject)}} {
		tags = append(tags, map[string]any{"Key": "aws:cloudformation:" + t[0], "Value": t[1]})
	}
	return tags, nil
}

// logicalID makes a template's name out of a thing's: team-github, TeamGithub.
func logicalID(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// deletes: ACTOR deletes [connection|host|pipeline] NAME, deletes role NAME, deletes branch REPO BRANCH, deletes repo REPO
func (d *loader) deletes(a *act) error {
	switch {
	case len(a.words) > 0 && a.words[0] == "stack":
		return d.deletesStack(a)
	case a.skip("role"):
		return d.deleteRole(a)
	case a.skip("endpoint"):
		return d.deletesEndpoint(a)
	case a.skip("zone"):
		return d.deleteZone(a)
	case a.skip("certificate"):
		return d.deleteCertificate(a)
	case a.skip("bucket"):
		return d.deletesBucket(a)
	case a.skip("image"):
		return d.deletesImage(a)
	case a.skip("repository"):
		return d.deletesRepository(a)
	case a.skip("rule"):
		return d.ruleActs(a)
	case a.skip("alarm"):
		return d.deletesAlarm(a)
	case a.skip("branch"), a.skip("repo"):
		return d.deleteAtProvider(a)
	case a.skip("action"):
		return d.actionTypes(a)
	}
	t, err := d.thing(a, "connection", "host", "pipeline")
	if err != nil {
		return err
	}
	return d.remove(a, t)
}

func (d *loader) remove(a *act, t *thing) error {
	var err error
	switch t.kind {
	case "connection":
		_, err = d.call(a, t.api, "DeleteConnection", t.region, map[string]any{"ConnectionArn": t.arn})
	case "host":
		_, err = d.call(a, t.api, "DeleteHost", t.region, map[string]any{"HostArn": t.arn})
	default:
		_, err = d.call(a, "codepipeline", "DeletePipeline", t.region, map[string]any{"name": t.name})
	}
	return err
}

// recreates: ACTOR recreates CONNECTION|HOST [as NEWNAME]: deletes it and creates it again, as a tool does whose
// resource must be replaced. The old ARN stays dead.
func (d *loader) recreates(a *act) error {
	old, err := d.thing(a, "connection", "host")
	if err != nil {
		return err
	}
	name := old.name
	if a.skip("as") {
		if name, err = a.word("the new name"); err != nil {
			return err
		}
	}
	if err := d.remove(a, old); err != nil {
		return err
	}
	d.tick()
	a.subject = name
	again := &thing{kind: old.kind, name: name, region: old.region, api: old.api, made: map[string]any{}}
	for k, v := range old.made {
		again.made[k] = v
	}
	member, key := "ConnectionArn", "ConnectionName"
	if old.kind == "host" {
		member, key = "HostArn", "Name"
	}
	again.made[key] = name
	d.w.arns[old.name+"@old"] = old.arn
	return d.make(a, again, member)
}

// shares: ACTOR shares CONNECTION with ACCOUNT[,ACCOUNT]
func (d *loader) shares(a *act) error {
	t, err := d.thing(a, "connection")
	if err != nil {
		return err
	}
	a.skip("with")
	with, err := a.word("the account to share with")
	if err != nil {
		return err
	}
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	if k.Account != t.account {
		return fmt.Errorf("only account %s can share %s", t.account, t.name)
	}
	for _, name := range commas(with) {
		id, ok := d.accounts[name]
		if !ok {
			return fmt.Errorf("there is no account %q", name)
		}
		if err := d.lab.Connections.Share(t.arn, id); err != nil {
			return err
		}
	}
	return nil
}

// tags: ACTOR tags NAME key:value[,...]; untags NAME key[,...]
func (d *loader) tags(a *act) error {
	t, err := d.thing(a, "connection", "host", "pipeline")
	if err != nil {
		return err
	}
	list, err := a.word("the tags")
	if err != nil {
		return err
	}
	op, in := "UntagResource", map[string]any{"ResourceArn": t.arn, "TagKeys": commas(list)}
	if a.verb == "tags" {
		tags, err := d.tagsOf(a, commas(list), nil)
		if err != nil {
			return err
		}
		op, in = "TagResource", map[string]any{"ResourceArn": t.arn, "Tags": tags}
	}
	if t.kind != "pipeline" {
		_, err = d.call(a, t.api, op, t.region, in)
		return err
	}
	_, err = d.call(a, "codepipeline", op, t.region, lowerTags(in))
	return err
}

// lowerTags spells the members as CodePipeline does.
func lowerTags(in map[string]any) map[string]any {
	out := map[string]any{"resourceArn": in["ResourceArn"]}
	if keys, ok := in["TagKeys"]; ok {
		out["tagKeys"] = keys
		return out
	}
	var tags []any
	list, _ := in["Tags"].([]any)
	for _, t := range slices.Clone(list) {
		m := t.(map[string]any)
		tags = append(tags, map[string]any{"key": m["Key"], "value": m["Value"]})
	}
	out["tags"] = tags
	return out
}
