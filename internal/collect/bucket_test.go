package collect

import (
	"slices"
	"testing"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/world"
)

const bucketWorld = `
account 111111111111 regions=eu-west-1,us-east-1
account 222222222222 alias=other regions=eu-west-1
role Admin allow=*
role Narrow allow=* deny=s3:ListBucket
caller ada you role=Admin
caller nora role=Narrow
key builds
bucket here key=builds deny=s3:PutObject@arn:aws:s3:::here/*
bucket plain
bucket there region=us-east-1
bucket theirs account=other
-10m ada schedules deletion of key builds days=7
`

func artifacts(t *testing.T, name string) *Collector {
	t.Helper()
	l := lab.New()
	apimodel.Attach(t, l)
	w, err := world.Load(l, "buckets", []byte(bucketWorld), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	k := w.Default
	l.Cloud.Within(func() {
		if name != "" {
			k = l.Cloud.CallerByName(name)
		}
	})
	return over(t, l, awsapi.Keys{ID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken})
}

// A bucket that answers is there, or in another Region; one that nobody has is absent; of one that is another account's, or that may not be
// looked at, nothing is known but the refusal.
func TestBucket(t *testing.T) {
	at := scope("eu-west-1")
	for _, tt := range []struct {
		caller, bucket, region string
		absent                 bool
		gap                    fact.Class
	}{
		{"", "here", "eu-west-1", false, ""},
		{"", "there", "us-east-1", false, ""},
		{"", "nowhere", "", true, ""},
		{"", "theirs", "", false, fact.Denied},
		{"nora", "here", "", false, fact.Denied},
	} {
		q := fact.Query{Scope: at, Kind: fact.KindBucket, ID: tt.bucket}
		s := ask(t, artifacts(t, tt.caller), q)
		ref := fact.BucketRef(at, fact.KindBucket, tt.bucket)
		b, _ := fact.Get[fact.Bucket](s, ref)
		_, absent := s.Absence(ref)
		g, _ := s.GapOf(q)
		if b.Region != tt.region || absent != tt.absent || g.Class != tt.gap || g.Class == fact.Denied && g.Permission != "s3:ListBucket" {
			t.Errorf("%s as %q: bucket %+v, absent %v, gap %+v", tt.bucket, tt.caller, b, absent, g)
		}
	}
}

func TestBucketsAndKeys(t *testing.T) {
	at := scope("eu-west-1")
	query := func(k fact.Kind, id string) fact.Query { return fact.Query{Scope: at, Kind: k, ID: id} }
	s := ask(t, artifacts(t, ""), query(fact.KindOwnBuckets, ""), query(fact.KindBucketPolicy, "here"), query(fact.KindBucketPolicy, "plain"), query(fact.KindBucketEncryption, "here"),
		query(fact.KindBucketEncryption, "plain"), query(fact.KindKey, "alias/builds"), query(fact.KindKey, "alias/none"))
	if len(s.Gaps()) != 0 {
		t.Fatalf("gaps %+v", s.Gaps())
	}
	own, _ := fact.Get[fact.OwnBuckets](s, fact.Ref{Scope: at, Kind: fact.KindOwnBuckets})
	if !slices.Equal(own.Names, []string{"here", "plain", "there"}) {
		t.Errorf("own buckets %v", own.Names)
	}
	policy, _ := fact.Get[fact.BucketPolicy](s, fact.BucketRef(at, fact.KindBucketPolicy, "here"))
	statements, err := fact.Statements(policy.Document)
	if err != nil || len(statements) != 1 || statements[0].Allow || !statements[0].About("arn:aws:iam::111111111111:role/Web") {
		t.Errorf("policy %q: %+v, %v", policy.Document, statements, err)
	}
	if _, none := s.Absence(fact.BucketRef(at, fact.KindBucketPolicy, "plain")); !none {
		t.Error("the bucket without a policy has one")
	}
	key, _ := fact.Get[fact.Key](s, fact.KeyRef(at, fact.KindKey, "alias/builds"))
	if key.State != fact.KeyPendingDeletion || key.Deletion.IsZero() || key.ARN == "" {
		t.Errorf("key %+v", key)
	}
	if _, none := s.Absence(fact.KeyRef(at, fact.KindKey, "alias/none")); !none {
		t.Error("there is a key alias/none")
	}
	x, _ := fact.Get[fact.BucketEncryption](s, fact.BucketRef(at, fact.KindBucketEncryption, "here"))
	y, _ := fact.Get[fact.BucketEncryption](s, fact.BucketRef(at, fact.KindBucketEncryption, "plain"))
	if x.Algorithm != "aws:kms" || x.Key != key.ARN || y.Algorithm != "AES256" || y.Key != "" {
		t.Errorf("encryption %+v and %+v", x, y)
	}
	document, _ := fact.Get[fact.KeyPolicy](ask(t, artifacts(t, ""), query(fact.KindKeyPolicy, key.ARN)), fact.KeyRef(at, fact.KindKeyPolicy, key.ARN))
	if statements, err := fact.Statements(document.Document); err != nil || len(statements) != 1 || !statements[0].Allow {
		t.Errorf("policy of the key %q, %v", document.Document, err)
	}
}
