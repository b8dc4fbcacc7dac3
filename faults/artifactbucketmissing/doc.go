package artifactbucketmissing

import (
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	noStore    = "no-store"
	deleted    = "deleted"
	missing    = "missing"
	foreign    = "foreign"
	elsewhere  = "wrong-region"
	keyOff     = "key-disabled"
	keyDoomed  = "key-pending-deletion"
	keyMissing = "key-missing"
	keyFar     = "key-wrong-region"
)

// Fault is the fault artifact-bucket-missing.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "artifact-bucket-missing",
		Doc:  doc(),
		Reads: []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindConnection, fact.KindBucket, fact.KindOwnBuckets, fact.KindKey,
			fact.KindEvent},
		Explains: []fault.Code{"artifact-denied", "action-failed", "service-trouble", "source-stale"},
		Diagnose: diagnose,
		Plan:     draft,
	}
}

func doc() fault.Doc {
	const look = "HeadBucket in the Region of the store. Verified."
	return fault.Doc{
		Title:   "A pipeline's artifact bucket is not there, or its key does not work",
		Symptom: `An action in another Region fails with "InternalError" and the code JobFailed, or CodePipeline says that its role "is getting S3 access denied" for the artifact bucket.`,
		Text: "Actions hand artifacts to each other in a bucket, and a pipeline with actions in several Regions needs one in each of them, in its own account, with a key of the same Region. " +
			"Of a bucket in another Region that is gone AWS only says that there was an internal error. So unjam looks at the bucket itself, and at the key that the definition names for it; " +
			"who may use them is the matter of other faults.",
		Causes: []fault.CauseDoc{
			{Code: noStore, Text: "The definition has no artifact store for the Region of an action.", Evidence: "The definition. Verified.", Remedy: "Make a bucket in that Region, and name it in the pipeline's artifactStores."},
			{Code: deleted, Text: "Somebody deleted the bucket.", Evidence: "HeadBucket answers 404 (verified), and CloudTrail has DeleteBucket.", Remedy: "Make the bucket again under its name, or name another one in the pipeline."},
			{Code: missing, Text: "The bucket does not exist, and no deletion is on record.", Evidence: "HeadBucket answers 404. Verified.", Remedy: "Make the bucket, or name another one in the pipeline."},
			{Code: foreign, Text: "The bucket is likely another account's.", Evidence: "HeadBucket is refused, and the account's own buckets do not have the name. Inferred: AWS does not say whose a bucket is.",
				Remedy: "Name a bucket of the pipeline's own account: names of buckets are one space for all accounts."},
			{Code: elsewhere, Text: "The bucket is in another Region than the store is for.", Evidence: look, Remedy: "Name a bucket that is in the store's Region."},
			{Code: keyOff, Text: "The KMS key of the store is disabled.", Evidence: "DescribeKey. Verified.", Remedy: "Enable the key."},
			{Code: keyDoomed, Text: "The KMS key of the store waits for its deletion.", Evidence: "DescribeKey. Verified.", Remedy: "Cancel the deletion and enable the key: what it encrypted is lost with it."},
			{Code: keyMissing, Text: "The KMS key of the store does not exist.", Evidence: "DescribeKey. Verified.", Remedy: "Name another key in the pipeline, or none."},
			{Code: keyFar, Text: "The KMS key of the store is in another Region.", Evidence: "The key's ARN in the definition. Verified.", Remedy: "Name a key of the store's Region, or none."},
		},
		See: []string{"aws codepipeline get-pipeline --name PIPELINE --query pipeline.artifactStores", "aws s3api head-bucket --bucket BUCKET --region REGION",
			"aws kms describe-key --key-id KEY --region REGION"},
		Remedy:   "Give every Region of the pipeline a bucket of its own account and Region, with a key that works, then retry the stage.",
		Severity: fault.High, Bucket: fault.Configuration, Since: "0.2.0",
		Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html",
			"https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"},
	}
}
