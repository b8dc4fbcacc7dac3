package world

import (
	"encoding/json"
	"fmt"

	"github.com/unjam/unjam/lab/svc/kms"
	"github.com/unjam/unjam/lab/svc/s3"
)

// addBucket: bucket NAME [allow=] [deny=] [policy=] [key=] [region=] [account=]: an S3 bucket that somebody made
func (d *loader) addBucket(l *line) error {
	name, err := l.word("the bucket's name")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	d.w.arns[name] = s3.ARN(name)
	doc, err := d.resourcePolicyOf(l)
	if err != nil {
		return err
	}
	key, err := d.keyNamed(l.opt("key", ""))
	if err != nil {
		return err
	}
	b := s3.Bucket{Name: name, Account: account, Region: l.opt("region", d.regions[account]), Policy: doc, Key: key}
	if err := d.lab.Buckets.Make(b); err != nil {
		return err
	}
	d.keep(&thing{kind: "bucket", name: name, arn: s3.ARN(name), account: account, region: b.Region})
	return nil
}

// keyNamed is the ARN of a key that the world names, or the text itself.
func (d *loader) keyNamed(name string) (string, error) {
	if name == "" || d.resource(name) != "" {
		return d.resource(name), nil
	}
	return "", fmt.Errorf("key=%s: nothing is called that by then; write the name of a key line or an ARN", name)
}

// addKey: key NAME [allow=] [deny=] [policy=] [region=] [account=]: a KMS key with the alias NAME
func (d *loader) addKey(l *line) error {
	name, err := l.word("the key's alias")
	if err != nil {
		return err
	}
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	doc, err := d.keyPolicy(l, account)
	if err != nil {
		return err
	}
	k, err := d.lab.Keys.Make(account, l.opt("region", d.regions[account]), name, doc)
	if err != nil {
		return err
	}
	d.keep(&thing{kind: "key", name: name, arn: k.ARN, account: account, region: k.Region})
	return nil
}

// keyPolicy reads a line's policy as one of a key: deny= stands beside the default policy, allow= and policy= in its place.
func (d *loader) keyPolicy(l *line, account string) (string, error) {
	only := l.opt("allow", "") == "" && l.opt("policy", "") == ""
	doc, err := d.resourcePolicyOf(l)
	if err != nil || doc == "" || !only {
		return doc, err
	}
	var mine, base map[string]any
	if err := json.Unmarshal([]byte(doc), &mine); err != nil {
		return "", fmt.Errorf("read policy: %w", err)
	}
	if err := json.Unmarshal([]byte(kms.Default(account)), &base); err != nil {
		return "", fmt.Errorf("read default policy: %w", err)
	}
	more, _ := mine["Statement"].([]any)
	own, _ := base["Statement"].([]any)
	base["Statement"] = append(own, more...)
	b, err := json.Marshal(base)
	return string(b), err
}

// artifactThing takes `KIND NAME`. A bucket may be one that only a pipeline names.
func (d *loader) artifactThing(a *act, kind string) (*thing, error) {
	name, err := a.word("the name of the " + kind)
	if err != nil {
		return nil, err
	}
	a.subject = name
	if t := d.things[name]; t != nil && t.kind == kind {
		return t, nil
	}
	if b, ok := d.lab.Buckets.Find(name); ok && kind == "bucket" {
		t := &thing{kind: kind, name: name, arn: s3.ARN(name), account: b.Account, region: b.Region}
		d.keep(t)
		return t, nil
	}
	return nil, fmt.Errorf("there is no %s called %q by then", kind, name)
}

// createBucket: creates bucket NAME [region=]
func (d *loader) createBucket(a *act, name string) error {
	k, err := d.caller(a)
	if err != nil {
		return err
	}
	region := d.regionOf(a)
	in := map[string]any{"Bucket": name}
	if region != "us-east-1" {
		in["LocationConstraint"] = region
	}
	if _, err := d.call(a, "s3", "CreateBucket", region, in); err != nil {
		return err
	}
	d.keep(&thing{kind: "bucket", name: name, arn: s3.ARN(name), account: k.Account, region: region})
	return nil
}

// deletesBucket: deletes bucket NAME
func (d *loader) deletesBucket(a *act) error {
	t, err := d.artifactThing(a, "bucket")
	if err != nil {
		return err
	}
	_, err = d.call(a, "s3", "DeleteBucket", t.region, map[string]any{"Bucket": t.name})
	return err
}

// edits: ACTOR edits bucket|key NAME allow=|deny=|policy=: PutBucketPolicy, PutKeyPolicy; policy=none takes a bucket's away
func (d *loader) edits(a *act) error {
	switch {
	case a.skip("bucket"):
		t, err := d.artifactThing(a, "bucket")
		if err != nil {
			return err
		}
		if a.opt("policy", "") == "none" {
			_, err = d.call(a, "s3", "DeleteBucketPolicy", t.region, map[string]any{"Bucket": t.name})
			return err
		}
		doc, err := d.resourcePolicyOf(a.line)
		if err != nil {
			return err
		}
		_, err = d.call(a, "s3", "PutBucketPolicy", t.region, map[string]any{"Bucket": t.name, "Policy": doc})
		return err
	case a.skip("key"):
		t, err := d.artifactThing(a, "key")
		if err != nil {
			return err
		}
		doc, err := d.keyPolicy(a.line, t.account)
		if err != nil {
			return err
		}
		if doc == "" {
			return fmt.Errorf("say the key's new policy: allow=, deny= or policy=")
		}
		_, err = d.call(a, "kms", "PutKeyPolicy", t.region, map[string]any{"KeyId": t.arn, "PolicyName": "default", "Policy": doc})
		return err
	}
	return fmt.Errorf("what is edited? write `edits bucket NAME` or `edits key NAME`")
}

// switchesKey: disables key NAME, enables key NAME
func (d *loader) switchesKey(a *act) error {
	t, err := d.artifactThing(a, "key")
	if err != nil {
		return err
	}
	op := map[string]string{"disables": "DisableKey", "enables": "EnableKey"}[a.verb]
	_, err = d.call(a, "kms", op, t.region, map[string]any{"KeyId": t.arn})
	return err
}

// deletion: schedules deletion of key NAME [days=30]; cancels deletion of key NAME, which leaves it disabled
func (d *loader) deletion(a *act) error {
	if !a.skip("deletion") || !a.skip("of") || !a.skip("key") {
		return fmt.Errorf("write `%s deletion of key NAME`", a.verb)
	}
	t, err := d.artifactThing(a, "key")
	if err != nil {
		return err
	}
	in := map[string]any{"KeyId": t.arn}
	if a.verb == "cancels" {
		_, err = d.call(a, "kms", "CancelKeyDeletion", t.region, in)
		return err
	}
	var days int
	if _, err := fmt.Sscanf(a.opt("days", "30"), "%d", &days); err != nil {
		return fmt.Errorf("days= is a number: %w", err)
	}
	in["PendingWindowInDays"] = float64(days)
	_, err = d.call(a, "kms", "ScheduleKeyDeletion", t.region, in)
	return err
}

// forgets: aws forgets store PIPELINE REGION: the definition is from before AWS demanded a store for each Region
func (d *loader) forgets(a *act) error {
	if a.actor != "aws" || !a.skip("store") {
		return fmt.Errorf("write `aws forgets store PIPELINE REGION`")
	}
	t, err := d.thing(a, "pipeline")
	if err != nil {
		return err
	}
	region, err := a.word("the Region")
	if err != nil {
		return err
	}
	if !d.lab.Pipelines.ForgetStore(t.account, t.region, t.name, region) {
		return fmt.Errorf("%s has no store for %s", t.name, region)
	}
	return nil
}

// store is the artifact store of a Region as a pipeline's line has it: [store=] and [store-key=] for its own Region, [deploy-store=] and
// [deploy-store-key=] for the one that it deploys to.
func (d *loader) store(a *act, region, option string) (map[string]any, error) {
	account := d.account
	if k := d.c.CallerByName(a.actor); k != nil {
		account = k.Account
	}
	name := "codepipeline-" + region + "-artifacts"
	if account != d.account {
		name = "codepipeline-" + region + "-" + account + "-artifacts" // names of buckets are one space
	}
	out := map[string]any{"type": "S3", "location": a.opt(option, name)}
	key, err := d.keyNamed(a.opt(option+"-key", ""))
	if err != nil {
		return nil, err
	}
	if key != "" {
		out["encryptionKey"] = map[string]any{"id": key, "type": "KMS"}
	}
	return out, nil
}

// patchStores changes the artifact stores of a definition: [store=] [store-key=] of the Region of the line, [deploy-store=]
// [deploy-store-key=] of deploy-region=. A key of none takes it away.
func (d *loader) patchStores(a *act, decl map[string]any) error {
	for _, option := range []string{"store", "deploy-store"} {
		name, key := a.opt(option, ""), a.opt(option+"-key", "")
		if name == "" && key == "" {
			continue
		}
		at, ok := decl["artifactStore"].(map[string]any)
		if stores, several := decl["artifactStores"].(map[string]any); several {
			region := d.regionOf(a)
			if option == "deploy-store" {
				region = a.opt("deploy-region", "")
			}
			if at, ok = stores[region].(map[string]any); !ok && name != "" && region != "" {
				at, ok = map[string]any{"type": "S3"}, true
				stores[region] = at
			}
		}
		if !ok {
			return fmt.Errorf("%s=: the definition has no such artifact store; say deploy-region=", option)
		}
		if name != "" {
			at["location"] = name
		}
		id, err := "", error(nil)
		if key != "none" {
			id, err = d.keyNamed(key)
		}
		if err != nil {
			return err
		}
		if key != "" {
			delete(at, "encryptionKey")
		}
		if id != "" {
			at["encryptionKey"] = map[string]any{"id": id, "type": "KMS"}
		}
	}
	return nil
}
