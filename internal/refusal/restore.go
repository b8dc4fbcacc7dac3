package refusal

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// service is CodePipeline as trust policies name it.
const service = "codepipeline.amazonaws.com"

// restorable reports whether the role's trust policy was read, is this account's, and lacks CodePipeline without a word against it: then one
// statement more mends it, and nothing else is touched.
func (r Refused) restorable(s *fact.Snapshot) bool {
	x, known := policiesOf(s, r.governed())
	if !known || r.assumer != service || !ofAccount(s, r.governed()) {
		return false
	}
	t, _ := fact.Trusting(x.Trust, r.who())
	return t == fact.TrustUnnamed && r.mended(x) != ""
}

// mended is the role's trust policy with a statement for CodePipeline and the account of the pipeline, as the console writes it; "" where it
// cannot be made.
func (r Refused) mended(x fact.RolePolicies) string {
	return fact.WithService(x.Trust, service, r.Pipeline.Ref().Scope.Account)
}

// restore writes the mended trust policy; the way back is the policy as it was read.
func (r Refused) restore(s *fact.Snapshot, f fault.Finding) (step plan.Step, note string) {
	x, _ := policiesOf(s, r.governed())
	put := func(document string) plan.Action {
		return plan.Action{Service: "iam", Operation: "UpdateAssumeRolePolicy", Region: r.Pipeline.Ref().Scope.Region, Input: op.Input{"RoleName": x.Name, "PolicyDocument": document}}
	}
	is := func(document string) []plan.Check {
		return []plan.Check{{Ref: x.Ref(), Field: "trust", Op: plan.Is, Value: fact.TrustDigest(document)}}
	}
	document := r.mended(x)
	st := plan.NewCall("trust-"+x.Name, "let CodePipeline assume "+x.Name+" again", x.Ref(), put(document))
	undo := put(x.Trust)
	st.Undo, st.OneWay = &undo, ""
	st.Given, st.SkipWhen, st.DoneWhen, st.UndoneWhen = is(x.Trust), is(document), is(document), is(x.Trust)
	st.Patience = trustPatience
	st.Overrules = "somebody wrote the trust policy of " + x.Name + " without CodePipeline" + lastWriter(f)
	st.Blast = []plan.Effect{{What: "the pipelines of account " + r.Pipeline.Ref().Scope.Account + " that have the role " + x.Name + " work with it again"}}
	return st, "Whatever deploys " + x.Name + " (CloudFormation, CDK, Terraform) puts its trust policy back at its next deployment: change it there too."
}

// lastWriter says who changed the trust policy last, where the finding has it.
func lastWriter(f fault.Finding) string {
	for _, e := range f.Evidence {
		if e.Got == "UpdateAssumeRolePolicy" {
			return ": " + e.Text
		}
	}
	return "; who is not known"
}
