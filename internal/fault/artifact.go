package fault

import (
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// refusedBucket are CodePipeline's words for a bucket that refuses a role: AWS documents the first, the second is known from public reports
// (docs/aws-facts.md, "Artifact buckets").
var refusedBucket = []*regexp.Regexp{
	regexp.MustCompile(`CodePipeline service role "?(arn:[^\s"]+)"? is getting S3 access denied for the S3 bucket "?([^\s"]+?)[".,]*(?:\s|$)`),
	regexp.MustCompile(`permissions required to access the Amazon S3 (bucket) named "?([^\s"]+?)[".,]*(?:\s|$)`),
}

// RefusedBucket is the bucket that the text of a failed action says was refused, and the role where it names one; "" for none.
func RefusedBucket(text string) (bucket, role string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, w := range refusedBucket {
		if m := w.FindStringSubmatch(text); m != nil {
			if strings.HasPrefix(m[1], "arn:") {
				role = m[1]
			}
			return m[2], role
		}
	}
	return "", ""
}

// StoredIn reports whether a bucket is an artifact store of a pipeline.
func StoredIn(p fact.Pipeline, bucket string) bool {
	return slices.ContainsFunc(p.Stores, func(s fact.Store) bool { return s.Bucket == bucket })
}

// Artifact is a failed action whose failure may lie in the artifact store of its Region.
type Artifact struct {
	Current
	Region string     // where the action runs
	Store  fact.Store // of that Region; zero when the definition has none
	Far    bool       // it is another Region than the pipeline's
	Said   bool       // AWS's text names the bucket
}

// Artifacts are the failed actions of a pipeline whose failure may lie in an artifact store, in the order of the definition; the query reads
// the state. AWS's text names the bucket of the pipeline's own Region at most; of another Region it says "InternalError" of any trouble with the
// bucket, and what else it may say is not known (docs/aws-facts.md, "Artifact buckets"). So every failure of an action in another Region counts
// that says nothing else for sure: that the action got to work, ran out of time, or was refused something that is no artifact.
func Artifacts(s *fact.Snapshot, p fact.Pipeline) ([]Artifact, fact.Query) {
	fails, state := Fails(s, p)
	var all []Artifact
	for _, c := range fails {
		home := p.Ref().Scope.Region
		x := Artifact{Current: c, Region: home, Far: c.Action.Region != "" && c.Action.Region != home}
		if x.Far {
			x.Region = c.Action.Region
		}
		x.Store, _ = p.Store(x.Region)
		bucket, _ := RefusedBucket(c.State.Error)
		x.Said = bucket != "" && bucket == x.Store.Bucket
		if x.Said || x.Far && bucket == "" && silent(c) {
			all = append(all, x)
		}
	}
	return all, state
}

// OwnBucketsQuery asks which buckets the account of a pipeline has.
func OwnBucketsQuery(p fact.Pipeline) fact.Query {
	return fact.Query{Scope: p.Ref().Scope, Kind: fact.KindOwnBuckets}
}

// silent reports whether the failure of an action leaves open what it was.
func silent(c Current) bool {
	if c.State.External != "" || TimedOut(c.State.ErrorCode+" "+c.State.Error) || OfStack(c) || c.Action.Category == "Approval" {
		return false
	}
	_, named := fact.ParseDenial(c.State.Error)
	return !named && fact.EncodedMessage(c.State.Error) == ""
}
