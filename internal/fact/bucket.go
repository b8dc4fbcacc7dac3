package fact

import (
	"slices"
	"time"
)

// Store is an artifact store of a pipeline: where the actions of one Region hand artifacts to each other.
type Store struct {
	Region string `json:"region"`
	Bucket string `json:"bucket"`
	Key    string `json:"key,omitempty"` // of its encryptionKey, as the definition has it: an ARN, an ID or an alias; "": the bucket's own
}

// Store is the artifact store for actions of a Region; false when the definition has none.
func (p Pipeline) Store(region string) (Store, bool) {
	i := slices.IndexFunc(p.Stores, func(s Store) bool { return s.Region == region })
	if i < 0 {
		return Store{}, false
	}
	return p.Stores[i], true
}

// Bucket is a bucket of Amazon S3 that answers. Its Ref's Region is the one that it was asked for in.
type Bucket struct {
	Seen
	Name   string `json:"name"`
	Region string `json:"region"` // where it is: a bucket is asked for in one Region and may be in another
}

// Field knows "region".
func (b Bucket) Field(path string) (string, bool) { return b.Region, path == "region" }

// OwnBuckets are the names of the buckets that the account owns, in whatever Region.
type OwnBuckets struct {
	Seen
	Names []string `json:"names"`
}

// BucketPolicy is the policy of a bucket; a bucket without one has an Absent.
type BucketPolicy struct {
	Seen
	Bucket   string `json:"bucket"`
	Document string `json:"document"`
}

// Field knows "document": its digest.
func (b BucketPolicy) Field(path string) (string, bool) {
	return string(DigestOf(b.Document)), path == "document"
}

// BucketEncryption is what a bucket does with objects that are put without a key.
type BucketEncryption struct {
	Seen
	Bucket    string `json:"bucket"`
	Algorithm string `json:"algorithm"`     // AES256, aws:kms, aws:kms:dsse
	Key       string `json:"key,omitempty"` // "": Amazon S3's own
}

// Key is a KMS key.
type Key struct {
	Seen
	ARN      string    `json:"arn"`
	State    string    `json:"state"`             // Enabled, Disabled, PendingDeletion ...
	Deletion time.Time `json:"deletion,omitzero"` // of a key that is pending deletion
}

// The states of keys that matter here (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html).
const (
	KeyEnabled         = "Enabled"
	KeyDisabled        = "Disabled"
	KeyPendingDeletion = "PendingDeletion"
)

// Field knows "state".
func (k Key) Field(path string) (string, bool) { return k.State, path == "state" }

// KeyPolicy is the policy of a KMS key.
type KeyPolicy struct {
	Seen
	Key      string `json:"key"` // as it was asked for
	Document string `json:"document"`
}

// Field knows "document": its digest.
func (k KeyPolicy) Field(path string) (string, bool) {
	return string(DigestOf(k.Document)), path == "document"
}

// BucketRef is the Ref of a bucket, or of what a read of another kind says of it.
func BucketRef(scope Scope, kind Kind, name string) Ref {
	return Ref{Scope: scope, Kind: kind, ID: name}
}

// KeyRef is the Ref of a key or of its policy, as a definition names the key.
func KeyRef(scope Scope, kind Kind, id string) Ref { return Ref{Scope: scope, Kind: kind, ID: id} }

// BucketARN is the ARN of a bucket: it names neither account nor Region.
func BucketARN(partition, name string) string { return "arn:" + partition + ":s3:::" + name }
