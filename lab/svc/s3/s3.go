// Package s3 simulates Amazon S3 as far as pipelines rest on it: buckets, whose they are, where, their policies and their default keys, and
// who may put and get objects. It never stores an object, and serves no operation on one.
package s3

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// namespace is the XML namespace of S3's replies.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// The headers that requests and replies about buckets carry.
const (
	regionHeader = "X-Amz-Bucket-Region"
	ownerHeader  = "X-Amz-Expected-Bucket-Owner"
)

// Policies judge who may use a bucket; IAM does.
type Policies interface {
	// SetResourcePolicy gives a resource of an account a policy of its own, or takes it away; it refuses a document that cannot be read.
	SetResourcePolicy(owner, arn, doc string) error
	// SetOwner says whose a resource without a policy is.
	SetOwner(owner, arn string)
}

// Keys judge the use of KMS keys.
type Keys interface {
	// Use judges the use of a key; nil when it may be used.
	Use(p cloud.Principal, owner, region, key, action string) *cloud.Error
}

// Bucket is a bucket.
type Bucket struct {
	Name, Account, Region string
	Policy                string // JSON; "" for none
	Key                   string // of its default encryption, as its owner wrote it; "": Amazon S3's own keys
	Created               time.Time
	// Implied is a bucket that a pipeline names and nobody made by a call: it lets in whoever a pipeline sends, of whatever account, as if
	// bucket and roles had been set up by the book. The first policy that somebody writes ends that.
	Implied bool
}

// ARN is a bucket's ARN: it names neither account nor Region.
func ARN(bucket string) string { return "arn:aws:s3:::" + bucket }

// Service is Amazon S3 in every account and Region: names of buckets are one space. Its methods are called with the cloud's lock held.
type Service struct {
	c        *cloud.Cloud
	policies Policies
	keys     Keys
	held     map[string]*cloud.Lagged[Bucket] // by name; deleted ones stay
}

// New registers the service on a cloud.
func New(c *cloud.Cloud, p Policies, k Keys) *Service {
	s := &Service{c: c, policies: p, keys: k, held: map[string]*cloud.Lagged[Bucket]{}}
	owner := map[string]string{"ExpectedBucketOwner": ownerHeader}
	const one = "/{Bucket}"
	c.Register(&cloud.Service{
		Name: "s3", Version: "2006-03-01", Protocol: cloud.RESTXML, Namespace: namespace, EventSource: "s3.amazonaws.com", Bare: true,
		Items: map[string]string{"Buckets": "Bucket"},
		Ops: map[string]*cloud.Op{
			"ListBuckets": {Method: "GET", Root: "ListAllMyBucketsResult", ReadOnly: true, Access: onAll, Do: s.list},
			"HeadBucket": {Method: "HEAD", Path: one, Root: "-", Headers: map[string]string{"BucketRegion": regionHeader}, Given: owner, ReadOnly: true,
				Access: on("ListBucket"), Do: s.head},
			"GetBucketLocation":   {Method: "GET", Path: one, Query: "location", Root: "LocationConstraint", Given: owner, ReadOnly: true, Access: on("GetBucketLocation"), Do: s.location},
			"GetBucketPolicy":     {Method: "GET", Path: one, Query: "policy", Whole: "Policy", Given: owner, ReadOnly: true, Access: on("GetBucketPolicy"), Do: s.getPolicy},
			"GetBucketEncryption": {Method: "GET", Path: one, Query: "encryption", Root: "ServerSideEncryptionConfiguration", Given: owner, ReadOnly: true, Access: on("GetEncryptionConfiguration"), Do: s.encryption},
			"CreateBucket":        {Method: "PUT", Path: one, Root: "-", Headers: map[string]string{"Location": "Location"}, Access: on("CreateBucket"), Do: s.create},
			"DeleteBucket":        {Method: "DELETE", Path: one, Status: 204, Root: "-", Given: owner, Access: on("DeleteBucket"), Do: s.delete},
			"PutBucketPolicy":     {Method: "PUT", Path: one, Query: "policy", Whole: "Policy", Root: "-", Given: owner, Access: on("PutBucketPolicy"), Do: s.putPolicy},
			"DeleteBucketPolicy":  {Method: "DELETE", Path: one, Query: "policy", Status: 204, Root: "-", Given: owner, Access: on("DeleteBucketPolicy"), Do: s.deletePolicy},
		},
	})
	return s
}

func onAll(*cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "s3:ListAllMyBuckets", Resource: "*"}}
}

// on is the access to the bucket that a request names. HeadBucket is allowed by s3:ListBucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func on(action string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "s3:" + action, Resource: ARN(r.Str("Bucket"))}}
	}
}

// Find is a bucket as it was written last.
func (s *Service) Find(name string) (Bucket, bool) {
	if l := s.held[name]; l != nil {
		return l.Truth()
	}
	return Bucket{}, false
}

// Make makes a bucket. A name that somebody has, in whatever account, is taken.
func (s *Service) Make(b Bucket) error {
	if _, taken := s.Find(b.Name); taken {
		return fmt.Errorf("make bucket %s: somebody has it", b.Name)
	}
	b.Created = s.c.Now().UTC()
	if err := s.guard(b); err != nil {
		return fmt.Errorf("make bucket %s: %w", b.Name, err)
	}
	s.put(b)
	return nil
}

func (s *Service) put(b Bucket) {
	if s.held[b.Name] == nil {
		s.held[b.Name] = &cloud.Lagged[Bucket]{}
	}
	s.held[b.Name].Set(s.c, b)
}

// guard tells IAM of a bucket's policy.
func (s *Service) guard(b Bucket) error {
	if b.Policy != "" {
		return s.policies.SetResourcePolicy(b.Account, ARN(b.Name), b.Policy)
	}
	s.policies.SetOwner(b.Account, ARN(b.Name))
	return nil
}

// Stand makes a bucket that a pipeline names and nobody ever had.
func (s *Service) Stand(account, region, name string) {
	if s.held[name] == nil {
		s.put(Bucket{Name: name, Account: account, Region: region, Created: s.c.Now().UTC(), Implied: true})
	}
}

// Store puts an object into a bucket as a principal, encrypted under a key or, with key "", as the bucket says; nil when it went well. Where
// the bucket is makes no difference to a writer.
func (s *Service) Store(p cloud.Principal, region, bucket, object, key string) *cloud.Error {
	return s.use(p, region, bucket, object, key, "s3:PutObject", "kms:GenerateDataKey")
}

// Fetch gets an object of a bucket as a principal, as Store puts one. The principal of type "" is a service that only looks for the bucket.
func (s *Service) Fetch(p cloud.Principal, region, bucket, object, key string) *cloud.Error {
	if b, ok := s.Find(bucket); ok && b.Region != region {
		return elsewhere(b)
	}
	return s.use(p, region, bucket, object, key, "s3:GetObject", "kms:Decrypt")
}

func (s *Service) use(p cloud.Principal, region, bucket, object, key, action, keyAction string) *cloud.Error {
	b, ok := s.Find(bucket)
	switch {
	case !ok:
		return noBucket()
	case p.Type == "":
		return nil
	}
	a := cloud.Access{Action: action, Resource: ARN(bucket) + "/" + object}
	if d := s.c.Authorize(p, region, a); !d.Allowed && !b.Implied {
		e := cloud.Denied(p, a, d)
		e.Status = 403
		return e
	}
	if key == "" {
		key = b.Key
	}
	if key == "" {
		return nil
	}
	return s.keys.Use(p, b.Account, b.Region, key, keyAction)
}

func noBucket() *cloud.Error {
	return &cloud.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist", Status: 404}
}

// elsewhere is S3's answer to a request about a bucket in another Region.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
func elsewhere(b Bucket) *cloud.Error {
	return &cloud.Error{Code: "PermanentRedirect", Status: 301, Headers: map[string]string{regionHeader: b.Region},
		Message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."}
}

// at is the bucket that a request names, as a reader sees it: there, in this Region, and of the account that the request expects. A bucket
// of somebody else answers nobody whom its policy does not let in.
func (s *Service) at(r *cloud.Request) (Bucket, error) {
	l := s.held[r.Str("Bucket")]
	if l == nil {
		return Bucket{}, noBucket()
	}
	b, ok := l.Seen(s.c)
	if !ok {
		return Bucket{}, noBucket()
	}
	if b.Region != r.Region {
		return Bucket{}, elsewhere(b)
	}
	if expected := r.Str("ExpectedBucketOwner"); b.Account != r.Account() && b.Policy == "" || expected != "" && expected != b.Account {
		return Bucket{}, &cloud.Error{Code: cloud.AccessDenied, Message: "Access Denied", Status: 403, Headers: map[string]string{regionHeader: b.Region}}
	}
	return b, nil
}

func (s *Service) head(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"BucketRegion": b.Region}, nil
}

// location is the bucket's Region; for us-east-1 it is empty (API_GetBucketLocation).
func (s *Service) location(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	if err != nil || b.Region == "us-east-1" {
		return nil, err
	}
	return map[string]any{"": b.Region}, nil
}

func (s *Service) getPolicy(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	switch {
	case err != nil:
		return nil, err
	case b.Policy == "":
		return nil, &cloud.Error{Code: "NoSuchBucketPolicy", Message: "The bucket policy does not exist", Status: 404}
	}
	return map[string]any{"Policy": b.Policy}, nil
}

func (s *Service) encryption(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	if err != nil {
		return nil, err
	}
	by := map[string]any{"SSEAlgorithm": "AES256"}
	if b.Key != "" {
		by = map[string]any{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": b.Key}
	}
	return map[string]any{"Rule": map[string]any{"ApplyServerSideEncryptionByDefault": by, "BucketKeyEnabled": b.Key != ""}}, nil
}

func (s *Service) list(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	var names []string
	for name := range s.held {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if b, ok := s.held[name].Seen(s.c); ok && b.Account == r.Account() {
			all = append(all, map[string]any{"Name": b.Name, "CreationDate": b.Created})
		}
	}
	return map[string]any{"Buckets": all, "Owner": map[string]any{"ID": strings.Repeat("0", 52) + r.Account()}}, nil
}

// validName is what names of buckets have to be.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (s *Service) create(r *cloud.Request) (map[string]any, error) {
	name := r.Str("Bucket")
	where := r.Str("LocationConstraint")
	if where == "" {
		where = "us-east-1"
	}
	b, taken := s.Find(name)
	switch {
	case !validName.MatchString(name):
		return nil, &cloud.Error{Code: "InvalidBucketName", Message: "The specified bucket is not valid.", Status: 400}
	case taken && b.Account == r.Account():
		return nil, &cloud.Error{Code: "BucketAlreadyOwnedByYou", Message: "Your previous request to create the named bucket succeeded and you already own it.", Status: 409}
	case taken:
		return nil, &cloud.Error{Code: "BucketAlreadyExists", Message: "The requested bucket name is not available.", Status: 409}
	case where != r.Region:
		return nil, &cloud.Error{Code: "IllegalLocationConstraintException", Message: "The " + where + " location constraint is incompatible for the region specific endpoint this request was sent to.", Status: 400}
	}
	if err := s.Make(Bucket{Name: name, Account: r.Account(), Region: where}); err != nil {
		return nil, cloud.Errorf(cloud.InternalFailure, "%v", err)
	}
	return map[string]any{"Location": "/" + name}, nil
}

func (s *Service) delete(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	if err != nil {
		return nil, err
	}
	s.held[b.Name].Delete(s.c)
	return nil, s.policies.SetResourcePolicy(b.Account, ARN(b.Name), "")
}

func (s *Service) putPolicy(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	if err != nil {
		return nil, err
	}
	b.Policy, b.Implied = r.Str("Policy"), false
	if err := s.guard(b); err != nil || b.Policy == "" {
		return nil, &cloud.Error{Code: "MalformedPolicy", Message: "Policies must be valid JSON and the first byte must be '{'", Status: 400}
	}
	s.put(b)
	return nil, nil
}

func (s *Service) deletePolicy(r *cloud.Request) (map[string]any, error) {
	b, err := s.at(r)
	if err != nil {
		return nil, err
	}
	b.Policy = ""
	s.put(b)
	return nil, s.guard(b)
}
