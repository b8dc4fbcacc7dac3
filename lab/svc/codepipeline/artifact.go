package codepipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/unjam/unjam/lab/cloud"
)

// Artifacts keeps what actions hand to each other.
type Artifacts interface {
	// Stand makes a bucket that a pipeline names and nobody ever had.
	Stand(account, region, bucket string)
	// Store puts an object into a bucket as a principal, under a key where one is named; nil when it went well.
	Store(p cloud.Principal, region, bucket, object, key string) *cloud.Error
	// Fetch gets an object; the zero principal only looks whether the bucket is there.
	Fetch(p cloud.Principal, region, bucket, object, key string) *cloud.Error
}

// KeepIn says who keeps artifacts. Without one, all of them are kept.
func (s *Service) KeepIn(a Artifacts) { s.artifacts = a }

// ForgetStore takes a Region out of the artifact stores of a pipeline as it stands: what definitions from before AWS demanded a store for
// each Region look like. It reports whether the pipeline had it.
func (s *Service) ForgetStore(account, region, name, of string) bool {
	p := s.pipelines[key(account, region, name)]
	if p == nil {
		return false
	}
	stores, _ := p.current()["artifactStores"].(map[string]any)
	_, had := stores[of]
	delete(stores, of)
	return had
}

// store is an artifact store of a definition.
type store struct{ bucket, key string }

// storeIn is the store of a Region; a single one is of the pipeline's own.
func (p *pipeline) storeIn(decl map[string]any, region string) (store, bool) {
	m, _ := decl["artifactStore"].(map[string]any)
	if m == nil || region != p.region {
		stores, _ := decl["artifactStores"].(map[string]any)
		m, _ = stores[region].(map[string]any)
	}
	if m == nil {
		return store{}, false
	}
	bucket, _ := m["location"].(string)
	encryption, _ := m["encryptionKey"].(map[string]any)
	id, _ := encryption["id"].(string)
	return store{bucket, id}, true
}

// stand makes the buckets that a definition names and nobody ever had.
func (p *pipeline) stand() {
	if p.s.artifacts == nil {
		return
	}
	stores, _ := p.current()["artifactStores"].(map[string]any)
	for _, r := range append(slices.Sorted(maps.Keys(stores)), p.region) {
		if st, ok := p.storeIn(p.current(), r); ok {
			p.s.artifacts.Stand(p.account, r, st.bucket)
		}
	}
}

// object is the name of an artifact in its bucket. The lab keeps one for each name.
func (p *pipeline) object(artifact string) string {
	return p.name[:min(len(p.name), 20)] + "/" + artifact[:min(len(artifact), 10)] + "/artifact"
}

// deposit puts the output of a source action into the store of the pipeline's Region.
func (p *pipeline) deposit(run *actionRun, role cloud.Principal) *outcome {
	decl := p.versions[run.e.version-1].decl
	st, ok := p.storeIn(decl, p.region)
	if p.s.artifacts == nil || !ok {
		return nil
	}
	for _, name := range artifacts(run.decl["outputArtifacts"]) {
		if err := p.s.artifacts.Store(role, p.region, st.bucket, p.object(name), st.key); err != nil {
			arn, _ := decl["roleArn"].(string)
			return &outcome{code: "PermissionError", message: fmt.Sprintf("CodePipeline service role %q is getting S3 access denied for the S3 bucket %q", arn, st.bucket)}
		}
	}
	return nil
}

// withdraw gets the input of an action from the store of its Region. For another Region than the pipeline's CodePipeline copies it there
// first, with the pipeline's own role. The role of a build's project is CodeBuild's matter.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html
func (p *pipeline) withdraw(run *actionRun, role cloud.Principal, region string) *outcome {
	decl := p.versions[run.e.version-1].decl
	home, ok := p.storeIn(decl, p.region)
	if p.s.artifacts == nil || !ok {
		return nil
	}
	if run.decl.typeOf("provider") == "CodeBuild" {
		role = cloud.Principal{}
	}
	for _, name := range artifacts(run.decl["inputArtifacts"]) {
		if region != p.region {
			if !p.copied(run, home, name, role, region) {
				return internal()
			}
			continue
		}
		if err := p.s.artifacts.Fetch(role, region, home.bucket, p.object(name), home.key); err != nil {
			return unfetched(home, err)
		}
	}
	return nil
}

// copied copies an artifact into the store of another Region and gets it there.
func (p *pipeline) copied(run *actionRun, home store, name string, role cloud.Principal, region string) bool {
	decl := p.versions[run.e.version-1].decl
	far, ok := p.storeIn(decl, region)
	if !ok {
		return false
	}
	arn, _ := decl["roleArn"].(string)
	own, _ := p.s.roles.RolePrincipalByARN(arn, sessionOf(run.e.id))
	return p.s.artifacts.Fetch(own, p.region, home.bucket, p.object(name), home.key) == nil &&
		p.s.artifacts.Store(own, region, far.bucket, p.object(name), far.key) == nil &&
		p.s.artifacts.Fetch(role, region, far.bucket, p.object(name), far.key) == nil
}

// internal is how an action fails whose artifact is not to be had in its Region, whatever the reason. AWS's troubleshooting page has the two
// words and no more; so the lab says no more.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
func internal() *outcome { return &outcome{code: "JobFailed", message: "InternalError"} }

// unfetched words that an artifact of the pipeline's own Region could not be got. The text about a refusal is known from public reports, and
// names neither role nor policy; what AWS says of a bucket that is gone or of a key that does not work is not known, and the lab says no more
// than that S3 refused.
func unfetched(st store, err *cloud.Error) *outcome {
	if err.Code == "PermanentRedirect" {
		return internal()
	}
	return &outcome{code: "PermissionError", message: fmt.Sprintf("The service role or action role doesn't have the permissions required to access the Amazon S3 bucket named %s. "+
		"Update the IAM role permissions, and then try again. Error: Amazon S3:AccessDenied:Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 0000000000000000)", st.bucket)}
}
