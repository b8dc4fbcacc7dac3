package s3_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/s3"
)

const account, other = "111111111111", "222222222222"

// client is S3's own client on a lab, as a user of an account who may do everything; path has it name buckets in the path.
func client(t *testing.T, l *lab.Lab, owner, region string, path bool) *sdk.Client {
	t.Helper()
	name := fmt.Sprintf("ada%s%s%v", owner[:1], region, path)
	k := &cloud.Caller{Name: name, AccessKeyID: "AKIALAB" + strings.ToUpper(name), SecretAccessKey: "secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: owner})
		if _, err := l.IAM.CreateUser(owner, name, "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(owner, name, "own", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`); err != nil {
			t.Fatal(err)
		}
		k.Principal = l.IAM.UserPrincipal(owner, name)
		l.Cloud.AddCaller(k)
	})
	return sdk.NewFromConfig(aws.Config{Region: region, HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")}, func(o *sdk.Options) { o.UsePathStyle = path })
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// TestLife: a bucket is made, read, given a policy and deleted, named by the host and in the path alike.
func TestLife(t *testing.T) {
	for _, path := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := lab.New()
			apimodel.Attach(t, l)
			c, ctx, name := client(t, l, account, "eu-west-1", path), t.Context(), aws.String("builds")
			if _, err := c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if out, err := c.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: name}); err != nil || aws.ToString(out.BucketRegion) != "eu-west-1" {
				t.Errorf("head: %+v, %v", out, err)
			}
			if out, err := c.GetBucketLocation(ctx, &sdk.GetBucketLocationInput{Bucket: name}); err != nil || out.LocationConstraint != "eu-west-1" {
				t.Errorf("location: %+v, %v", out, err)
			}
			if _, err := c.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: name}); code(err) != "NoSuchBucketPolicy" {
				t.Errorf("policy: %v", err)
			}
			const policy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::builds/*"}}`
			if _, err := c.PutBucketPolicy(ctx, &sdk.PutBucketPolicyInput{Bucket: name, Policy: aws.String(policy)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if out, err := c.GetBucketPolicy(ctx, &sdk.GetBucketPolicyInput{Bucket: name}); err != nil || *out.Policy != policy {
				t.Errorf("policy: %+v, %v", out, err)
			}
			if out, err := c.ListBuckets(ctx, &sdk.ListBucketsInput{}); err != nil || len(out.Buckets) != 1 || *out.Buckets[0].Name != "builds" {
				t.Errorf("list: %+v, %v", out, err)
			}
			if _, err := c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: name}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if _, err := c.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: name}); code(err) != "NotFound" {
				t.Errorf("head of a deleted bucket: %v", err)
			}
		})
	}
}

// TestForeignAndFar: a bucket of another account refuses and does not say whose it is, one of another Region says where it is, and its name is taken
// for everybody.
func TestForeignAndFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lab.New()
		apimodel.Attach(t, l)
		mine, theirs, ctx := client(t, l, account, "eu-west-1", true), client(t, l, other, "eu-west-1", true), t.Context()
		l.Cloud.Within(func() {
			l.Buckets.Stand(account, "us-east-1", "builds-us")
			l.Buckets.Stand(other, "eu-west-1", "builds-eu")
			if err := l.Buckets.Make(s3.Bucket{Name: "taken", Account: other, Region: "eu-west-1"}); err != nil {
				t.Fatal(err)
			}
		})
		time.Sleep(time.Minute)
		_, err := mine.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("taken")})
		if code(err) != "Forbidden" {
			t.Errorf("head of a foreign bucket: %v", err)
		}
		if _, err := theirs.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("taken")}); err != nil {
			t.Errorf("head by its owner: %v", err)
		}
		_, err = mine.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("builds-us")})
		var resp *awshttp.ResponseError
		if !errors.As(err, &resp) || resp.HTTPStatusCode() != http.StatusMovedPermanently || resp.Response.Header.Get("X-Amz-Bucket-Region") != "us-east-1" {
			t.Errorf("head of a bucket elsewhere: %v", err)
		}
		_, err = mine.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("builds-eu"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
		if code(err) != "BucketAlreadyExists" {
			t.Errorf("create under a taken name: %v", err)
		}
	})
}

// TestImplied: a bucket that only a pipeline names lets in whom a pipeline sends, until somebody gives it a policy.
func TestImplied(t *testing.T) {
	l := lab.New()
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: account})
		if _, err := l.IAM.CreateRole(account, "bare", "/", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"codepipeline.amazonaws.com"},"Action":"sts:AssumeRole"}}`); err != nil {
			t.Fatal(err)
		}
		p, _ := l.IAM.RolePrincipalByARN("arn:aws:iam::"+account+":role/bare", "1")
		l.Buckets.Stand(account, "eu-west-1", "implied")
		if err := l.Buckets.Make(s3.Bucket{Name: "made", Account: account, Region: "eu-west-1"}); err != nil {
			t.Fatal(err)
		}
		for bucket, want := range map[string]string{"implied": "", "made": cloud.AccessDenied, "none": "NoSuchBucket"} {
			got := ""
			if err := l.Buckets.Store(p, "eu-west-1", bucket, "x", ""); err != nil {
				got = err.Code
			}
			if got != want {
				t.Errorf("%s: %q, want %q", bucket, got, want)
			}
		}
		if err := l.Buckets.Fetch(p, "us-east-1", "implied", "x", ""); err == nil || err.Code != "PermanentRedirect" {
			t.Errorf("from another Region: %v", err)
		}
	})
}
