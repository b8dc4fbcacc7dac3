package artifactdenied

import (
	"fmt"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// finding words a refusal; the queries check the grant.
func (r *refusal) finding(s *fact.Snapshot) (fault.Finding, []fact.Query) {
	p := r.Pipeline
	f := fault.Finding{
		Title: "S3 or KMS refuses a pipeline's artifact", Severity: fault.High, Bucket: fault.IAM, Subject: fault.PipelineSubject(p), About: p.Ref(),
		Since: fault.Stamp(r.State.Changed), Link: fault.PipelineLink(s.Question(), p), Cause: r.cause,
		Evidence: append([]fault.Evidence{r.Evidence()}, r.evidence...),
		Message:  fmt.Sprintf("%s of %s failed: the artifact bucket %s refused %s.", r.Action.Name, p.Name, r.Store.Bucket, nameOf(r.role)),
	}
	if !r.Said {
		f.Message = fmt.Sprintf("%s of %s failed in %s: likely the artifact bucket %s refused %s.", r.Action.Name, p.Name, r.Region, r.Store.Bucket, nameOf(r.role))
	}
	f.Details.More = map[string]string{"role": r.role, "bucket": r.Store.Bucket, "region": r.Region}
	f.Remedy = r.remedy()
	if r.cause.Code != noIdentity || len(r.lacks) == 0 {
		return f, nil
	}
	text := op.LeastPolicy(r.lacks...).String()
	asks := []fact.Query{{Scope: p.Ref().Scope, Kind: fact.KindPolicyCheck, ID: string(fact.DigestOf(text))[7:23], Args: map[string]string{"document": text}}}
	f.Details.Grant = &fault.Grant{To: r.role, Document: []byte(text), Class: fault.Inferred, Checked: fault.Checked(s, asks)}
	return f, asks
}

// remedy says who has to change what.
func (r *refusal) remedy() string {
	switch r.cause.Code {
	case noIdentity:
		return "Attach the policy below to " + r.role + ", then retry the stage."
	case bucketPolicy:
		return fmt.Sprintf("Let %s put and get objects in the policy of the bucket: aws s3api get-bucket-policy --bucket %s --region %s shows it. Then retry the stage.", r.role, r.Store.Bucket, r.Region)
	case keyPolicy:
		return fmt.Sprintf("Let %s use the key in the key's own policy, then retry the stage.", r.role)
	}
	for _, c := range doc().Causes {
		if c.Code == r.cause.Code {
			return c.Remedy
		}
	}
	return doc().Remedy
}
