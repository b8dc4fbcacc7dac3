package artifactdenied

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes, by the policy that says no.
const (
	noIdentity   = "no-identity-policy"
	identityDeny = "identity-deny"
	boundary     = "boundary"
	boundaryDeny = "boundary-deny"
	scp          = "scp"
	scpDeny      = "scp-deny"
	bucketPolicy = "bucket-policy"
	keyPolicy    = "key-policy"
	unknownCause = "unknown"
)

// Fault is the fault artifact-denied.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "artifact-denied",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindBucketPolicy, fact.KindBucketEncryption, fact.KindKey,
			fact.KindKeyPolicy, fact.KindSimulation, fact.KindPolicyCheck},
		Explains: []fault.Code{"action-failed", "service-trouble", "source-stale"},
		Diagnose: diagnose,
	}
}

func doc() fault.Doc {
	const sim = "The simulator, for the pipeline's and the action's role. Simulated: AWS's text names no policy."
	return fault.Doc{
		Title:   "S3 or KMS refuses a pipeline's artifact",
		Symptom: `CodePipeline says that its role "is getting S3 access denied", or that a role "doesn't have the permissions required to access the Amazon S3 bucket"; in another Region it says "InternalError".`,
		Text: "Every action takes its artifacts from a bucket and puts them into one, as the pipeline's role or as its own. Where bucket or key refuses, AWS names the bucket at most: neither the " +
			"policy that says no nor, for a key, that it was the key. So unjam looks at all that can refuse: the roles' policies as the simulator judges them, the bucket's own policy and the key's.",
		Causes: []fault.CauseDoc{
			{Code: noIdentity, Text: "No policy of the role allows it.", Evidence: sim, Remedy: "Attach a policy that allows it."},
			{Code: identityDeny, Text: "A Deny in a policy of the role.", Evidence: sim, Remedy: "Take the Deny out of the role's policy, or narrow it: no Allow outweighs it."},
			{Code: boundary, Text: "The role's permissions boundary does not allow it.", Evidence: sim, Remedy: "Whoever owns the permissions boundary has to allow it there."},
			{Code: boundaryDeny, Text: "A Deny in the role's permissions boundary.", Evidence: sim, Remedy: "Whoever owns the permissions boundary has to take the Deny out, or narrow it."},
			{Code: scp, Text: "No service control policy of the organisation allows it.", Evidence: sim, Remedy: "Only the organisation's administrators can change a service control policy."},
			{Code: scpDeny, Text: "A Deny in a service control policy of the organisation.", Evidence: sim, Remedy: "Only the organisation's administrators can change a service control policy."},
			{Code: bucketPolicy, Text: "The bucket's own policy denies it, or does not let a role of another account in.", Evidence: "The policy's statements, from GetBucketPolicy. Inferred: conditions are not evaluated, and a Deny under a condition is only mentioned.",
				Remedy: "Take the Deny out of the bucket's policy or narrow it; let a role of another account in."},
			{Code: keyPolicy, Text: "The key's own policy denies it, or allows neither the role nor its account.", Evidence: "The policy's statements, from GetKeyPolicy. Inferred, as above.", Remedy: "Let the role use the key in the key's own policy: a key without that refuses whatever the role's policies say."},
			{Code: unknownCause, Text: "AWS says that the bucket refused, and none of the policies that can be read does.", Evidence: "AWS's text alone.",
				Remedy: "Look at what the simulator does not see: resource control policies, VPC endpoint policies, conditions; it may have been granted since."},
		},
		See: []string{"aws iam simulate-principal-policy --policy-source-arn ROLE --action-names s3:PutObject s3:GetObject --resource-arns arn:aws:s3:::BUCKET/*",
			"aws s3api get-bucket-policy --bucket BUCKET", "aws kms get-key-policy --key-id KEY --policy-name default"},
		Remedy:   "Let the role put and get artifacts, in whichever policy says no, then retry the stage.",
		Severity: fault.High, Bucket: fault.IAM, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html", "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
			"https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"},
	}
}
