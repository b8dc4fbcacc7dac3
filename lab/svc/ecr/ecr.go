// Package ecr simulates the private registries of Amazon ECR: repositories, whether their tags may move, and the images that were
// pushed. It holds no layers, runs no scan, and never deletes an image by itself.
package ecr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The limits of https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html and of
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
const (
	defaultPage = 100
	maxPage     = 1000
	maxFilters  = 5
)

// The settings of tags.
const (
	mutable       = "MUTABLE"
	immutable     = "IMMUTABLE"
	immutableSave = "IMMUTABLE_WITH_EXCLUSION" // all but the tags that a filter matches
	mutableSave   = "MUTABLE_WITH_EXCLUSION"
)

// The error codes of the API model.
const (
	noRepository = "RepositoryNotFoundException"
	noImage      = "ImageNotFoundException"
	invalid      = "InvalidParameterException"
)

// Image is an image of a repository.
type Image struct {
	Digest string // sha256:...
	Tags   []string
	Pushed time.Time // when its manifest was pushed first; a further tag changes nothing about it
	Size   int64
}

// Repository is a repository of a private registry.
type Repository struct {
	Account, Region, Name string
	Mutability            string
	Filters               []string // the tags that are excluded from it, with * for any text
	Created               time.Time
	Images                []Image // replaced, never altered
}

// ARN is the repository's ARN.
func (r Repository) ARN() string { return arn(r.Region, r.Account, r.Name) }

func arn(region, account, name string) string {
	return "arn:aws:ecr:" + region + ":" + account + ":repository/" + name
}

// Fixed reports whether a tag that exists may not move.
func (r Repository) Fixed(tag string) bool {
	excluded := slices.ContainsFunc(r.Filters, func(f string) bool { return glob(f, tag) })
	switch r.Mutability {
	case immutable:
		return true
	case immutableSave:
		return !excluded
	case mutableSave:
		return excluded
	}
	return false
}

// glob matches a text with a filter in which * stands for any text.
func glob(filter, text string) bool {
	before, after, wild := strings.Cut(filter, "*")
	if !wild || !strings.HasPrefix(text, before) {
		return filter == text
	}
	text = text[len(before):]
	for i := 0; i <= len(text); i++ {
		if glob(after, text[i:]) {
			return true
		}
	}
	return false
}

// Tagged finds the image that a tag points at.
func (r Repository) Tagged(tag string) (Image, bool) {
	i := slices.IndexFunc(r.Images, func(x Image) bool { return slices.Contains(x.Tags, tag) })
	if i < 0 {
		return Image{}, false
	}
	return r.Images[i], true
}

// Digested finds an image by its digest.
func (r Repository) Digested(digest string) (Image, bool) {
	i := slices.IndexFunc(r.Images, func(x Image) bool { return x.Digest == digest })
	if i < 0 {
		return Image{}, false
	}
	return r.Images[i], true
}

// Service is ECR in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c      *cloud.Cloud
	held   []*cloud.Lagged[Repository]
	pushed []func(account, region string, detail map[string]any)
}

// New registers the service on a cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	c.Register(&cloud.Service{
		Name: "ecr", Target: "AmazonEC2ContainerRegistry_V20150921", Version: "2015-09-21", Protocol: cloud.JSON11, EventSource: "ecr.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"CreateRepository":      {Access: on("CreateRepository"), Do: s.create},
			"DeleteRepository":      {Access: on("DeleteRepository"), Do: s.delete},
			"DescribeRepositories":  {ReadOnly: true, Access: onNamed, Do: s.describe},
			"DescribeImages":        {ReadOnly: true, Access: on("DescribeImages"), Do: s.describeImages},
			"PutImage":              {Access: on("PutImage"), Do: s.putImage},
			"BatchDeleteImage":      {Access: on("BatchDeleteImage"), Do: s.deleteImages},
			"PutImageTagMutability": {Access: on("PutImageTagMutability"), Do: s.putMutability},
		},
	})
	return s
}

// OnPush tells of every tag that a push has set, as ECR tells Amazon EventBridge: what is told is the event's detail.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
func (s *Service) OnPush(f func(account, region string, detail map[string]any)) {
	s.pushed = append(s.pushed, f)
}

// on is the access to the repository that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
func on(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "ecr:" + op, Resource: arn(r.Region, registry(r), r.Str("repositoryName"))}}
	}
}

// onNamed is the access to the repositories that DescribeRepositories names: all of the registry when it names none.
func onNamed(r *cloud.Request) []cloud.Access {
	var all []cloud.Access
	for _, x := range r.List("repositoryNames") {
		name, _ := x.(string)
		all = append(all, cloud.Access{Action: "ecr:DescribeRepositories", Resource: arn(r.Region, registry(r), name)})
	}
	if all == nil {
		all = []cloud.Access{{Action: "ecr:DescribeRepositories", Resource: arn(r.Region, registry(r), "*")}}
	}
	return all
}

// registry is the account whose registry a request is about: the caller's own unless it says otherwise.
func registry(r *cloud.Request) string {
	if id := r.Str("registryId"); id != "" {
		return id
	}
	return r.Account()
}

// Find is a repository as it was written last.
func (s *Service) Find(account, region, name string) (Repository, bool) {
	if l := s.at(account, region, name); l != nil {
		return l.Truth()
	}
	return Repository{}, false
}

func (s *Service) at(account, region, name string) *cloud.Lagged[Repository] {
	for _, l := range s.held {
		if k, ok := l.Truth(); ok && k.Account == account && k.Region == region && k.Name == name {
			return l
		}
	}
	return nil
}

// named finds the repository of a request as it is. A registry of another account shows nothing: the lab has no repository policies.
func (s *Service) named(r *cloud.Request) (*cloud.Lagged[Repository], Repository, error) {
	name := r.Str("repositoryName")
	if l := s.at(registry(r), r.Region, name); l != nil && registry(r) == r.Account() {
		k, _ := l.Truth()
		return l, k, nil
	}
	return nil, Repository{}, missing(r, name)
}

func missing(r *cloud.Request, name string) error {
	return cloud.Errorf(noRepository, "The repository with name '%s' does not exist in the registry with id '%s'", name, registry(r))
}

var repositoryName = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

func (s *Service) create(r *cloud.Request) (map[string]any, error) {
	k := Repository{Account: r.Account(), Region: r.Region, Name: r.Str("repositoryName"), Created: s.c.Now().UTC()}
	if len(k.Name) < 2 || len(k.Name) > 256 || !repositoryName.MatchString(k.Name) {
		return nil, cloud.Errorf(invalid, "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '%s''", repositoryName)
	}
	if s.at(k.Account, k.Region, k.Name) != nil {
		return nil, cloud.Errorf("RepositoryAlreadyExistsException", "The repository with name '%s' already exists in the registry with id '%s'", k.Name, k.Account)
	}
	if err := k.set(r); err != nil {
		return nil, err
	}
	l := &cloud.Lagged[Repository]{}
	l.Set(s.c, k)
	s.held = append(s.held, l)
	return map[string]any{"repository": k.show()}, nil
}

func (s *Service) delete(r *cloud.Request) (map[string]any, error) {
	l, k, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if len(k.Images) > 0 && !r.Bool("force") {
		return nil, cloud.Errorf("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", k.Name, k.Account)
	}
	l.Delete(s.c)
	return map[string]any{"repository": k.show()}, nil
}

var filterForm = regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`)

// set takes the mutability of tags that a request says.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html
func (k *Repository) set(r *cloud.Request) error {
	k.Mutability, k.Filters = r.Str("imageTagMutability"), nil
	if k.Mutability == "" {
		k.Mutability = mutable
	}
	for _, x := range r.List("imageTagMutabilityExclusionFilters") {
		m, _ := x.(map[string]any)
		text, _ := m["filter"].(string)
		if m["filterType"] != "WILDCARD" || !filterForm.MatchString(text) || strings.Count(text, "*") > 2 {
			return cloud.Errorf(invalid, "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '%s' is no filter", text)
		}
		k.Filters = append(k.Filters, text)
	}
	save := k.Mutability == immutableSave || k.Mutability == mutableSave
	switch {
	case !slices.Contains([]string{mutable, immutable, immutableSave, mutableSave}, k.Mutability):
		return cloud.Errorf(invalid, "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: '%s' is no setting", k.Mutability)
	case save && (len(k.Filters) == 0 || len(k.Filters) > maxFilters), !save && len(k.Filters) > 0:
		return cloud.Errorf(invalid, "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: %s takes %d filters here", k.Mutability, len(k.Filters))
	}
	return nil
}

func (s *Service) putMutability(r *cloud.Request) (map[string]any, error) {
	l, k, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if err := k.set(r); err != nil {
		return nil, err
	}
	l.Set(s.c, k)
	out := map[string]any{"registryId": k.Account, "repositoryName": k.Name, "imageTagMutability": k.Mutability}
	if k.Filters != nil {
		out["imageTagMutabilityExclusionFilters"] = k.filters()
	}
	return out, nil
}

// putImage takes the manifest of an image and sets a tag. It is refused for a tag that may not move, and for one that points there
// already.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
func (s *Service) putImage(r *cloud.Request) (map[string]any, error) {
	l, k, err := s.named(r)
	if err != nil {
		return nil, err
	}
	manifest, tag := r.Str("imageManifest"), r.Str("imageTag")
	if manifest == "" {
		return nil, cloud.Errorf(invalid, "Invalid parameter at 'imageManifest' failed to satisfy constraint: 'Member must have length greater than or equal to 1'")
	}
	sum := sha256.Sum256([]byte(manifest))
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if d := r.Str("imageDigest"); d != "" && d != digest {
		return nil, cloud.Errorf("ImageDigestDoesNotMatchException", "The specified image digest does not match the digest that Amazon ECR calculated for the image")
	}
	old, tagged := k.Tagged(tag)
	known, exists := k.Digested(digest)
	switch {
	case exists && (tag == "" || slices.Contains(known.Tags, tag)):
		return nil, cloud.Errorf("ImageAlreadyExistsException", "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", digest, tag, k.Name, k.Account)
	case tagged && old.Digest != digest && k.Fixed(tag):
		return nil, cloud.Errorf("ImageTagAlreadyExistsException", "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.", tag, k.Name)
	}
	k.Images = retag(k.Images, Image{Digest: digest, Pushed: s.c.Now().UTC(), Size: int64(1000 + len(manifest))}, tag)
	l.Set(s.c, k)
	detail := map[string]any{"result": "SUCCESS", "repository-name": k.Name, "image-digest": digest, "action-type": "PUSH"}
	if tag != "" {
		detail["image-tag"] = tag
	}
	for _, f := range s.pushed {
		f(k.Account, k.Region, detail)
	}
	return map[string]any{"image": map[string]any{"registryId": k.Account, "repositoryName": k.Name, "imageManifest": manifest, "imageId": id(digest, tag)}}, nil
}

// retag moves a tag to an image, which is added where it is new.
func retag(images []Image, to Image, tag string) []Image {
	var all []Image
	found := false
	for _, x := range images {
		x.Tags = slices.DeleteFunc(slices.Clone(x.Tags), func(t string) bool { return t == tag })
		if x.Digest == to.Digest {
			found = true
			x.Tags = append(x.Tags, tag)
		}
		all = append(all, x)
	}
	if !found {
		if tag != "" {
			to.Tags = []string{tag}
		}
		all = append(all, to)
	}
	return all
}

func id(digest, tag string) map[string]any {
	out := map[string]any{"imageDigest": digest}
	if tag != "" {
		out["imageTag"] = tag
	}
	return out
}

// deleteImages takes tags away, and images with their last tag or by their digest.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
func (s *Service) deleteImages(r *cloud.Request) (map[string]any, error) {
	l, k, err := s.named(r)
	if err != nil {
		return nil, err
	}
	gone, failures := []any{}, []any{}
	for _, x := range r.List("imageIds") {
		m, _ := x.(map[string]any)
		tag, _ := m["imageTag"].(string)
		digest, _ := m["imageDigest"].(string)
		at, ok := k.Digested(digest)
		if digest == "" {
			at, ok = k.Tagged(tag)
		}
		if !ok {
			failures = append(failures, map[string]any{"imageId": m, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
			continue
		}
		var kept []Image
		for _, y := range k.Images {
			if y.Digest == at.Digest {
				y.Tags = slices.DeleteFunc(slices.Clone(y.Tags), func(t string) bool { return t == tag })
				if digest != "" || len(y.Tags) == 0 {
					continue
				}
			}
			kept = append(kept, y)
		}
		k.Images = kept
		gone = append(gone, id(at.Digest, tag))
	}
	l.Set(s.c, k)
	return map[string]any{"imageIds": gone, "failures": failures}, nil
}

// key tells repositories apart: ACCOUNT/REGION/NAME.
func (r Repository) key() string { return fmt.Sprintf("%s/%s/%s", r.Account, r.Region, r.Name) }
