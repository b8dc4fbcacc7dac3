package ecr

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// seen are the repositories of the registry that a request is about, as readers see them, by name.
func (s *Service) seen(r *cloud.Request) []Repository {
	var all []Repository
	for _, l := range s.held {
		if k, ok := l.Seen(s.c); ok && k.Account == registry(r) && k.Account == r.Account() && k.Region == r.Region {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b Repository) int { return strings.Compare(a.key(), b.key()) })
	return all
}

func (k Repository) filters() []any {
	var all []any
	for _, f := range k.Filters {
		all = append(all, map[string]any{"filterType": "WILDCARD", "filter": f})
	}
	return all
}

// show is a repository as the API has it.
func (k Repository) show() map[string]any {
	out := map[string]any{"repositoryArn": k.ARN(), "registryId": k.Account, "repositoryName": k.Name, "createdAt": k.Created, "imageTagMutability": k.Mutability,
		"repositoryUri":              k.Account + ".dkr.ecr." + k.Region + ".amazonaws.com/" + k.Name,
		"imageScanningConfiguration": map[string]any{"scanOnPush": false}, "encryptionConfiguration": map[string]any{"encryptionType": "AES256"}}
	if k.Filters != nil {
		out["imageTagMutabilityExclusionFilters"] = k.filters()
	}
	return out
}

func (s *Service) describe(r *cloud.Request) (map[string]any, error) {
	all := s.seen(r)
	names := r.List("repositoryNames")
	for _, x := range names {
		name, _ := x.(string)
		if !slices.ContainsFunc(all, func(k Repository) bool { return k.Name == name }) {
			return nil, missing(r, name)
		}
	}
	shown := []any{}
	for _, k := range all {
		if len(names) == 0 || slices.Contains(names, any(k.Name)) {
			shown = append(shown, k.show())
		}
	}
	return page(r, "repositories", shown, len(names) > 0)
}

// page cuts a page. Lists of what was named by itself have none.
func page(r *cloud.Request, member string, all []any, named bool) (map[string]any, error) {
	if named && (r.Str("nextToken") != "" || r.In["maxResults"] != nil) {
		return nil, cloud.Errorf(invalid, "Invalid parameter: nextToken and maxResults cannot be used with what is named by itself")
	}
	want := r.Int("maxResults", defaultPage)
	if want < 1 || want > maxPage {
		return nil, cloud.Errorf(invalid, "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must be between 1 and %d'", maxPage)
	}
	part, next, err := cloud.Page(r.Cloud, all, r.Str("nextToken"), want, maxPage, invalid)
	if err != nil {
		return nil, err
	}
	out := map[string]any{member: append([]any{}, part...)}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

// describeImages lists images in no order of time: by digest.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html
func (s *Service) describeImages(r *cloud.Request) (map[string]any, error) {
	all := s.seen(r)
	i := slices.IndexFunc(all, func(k Repository) bool { return k.Name == r.Str("repositoryName") })
	if i < 0 {
		return nil, missing(r, r.Str("repositoryName"))
	}
	k := all[i]
	images := slices.Clone(k.Images)
	if ids := r.List("imageIds"); len(ids) > 0 {
		images = nil
		for _, x := range ids {
			m, _ := x.(map[string]any)
			tag, _ := m["imageTag"].(string)
			digest, _ := m["imageDigest"].(string)
			image, ok := k.Digested(digest)
			if digest == "" {
				image, ok = k.Tagged(tag)
			}
			if !ok {
				return nil, cloud.Errorf(noImage, "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
					orNull(digest), orNull(tag), k.Name, k.Account)
			}
			images = append(images, image)
		}
	}
	slices.SortStableFunc(images, func(a, b Image) int { return strings.Compare(a.Digest, b.Digest) })
	status, _ := r.Map("filter")["tagStatus"].(string)
	shown := []any{}
	for _, x := range images {
		if status == "TAGGED" && len(x.Tags) == 0 || status == "UNTAGGED" && len(x.Tags) > 0 {
			continue
		}
		d := map[string]any{"registryId": k.Account, "repositoryName": k.Name, "imageDigest": x.Digest, "imageSizeInBytes": x.Size, "imagePushedAt": x.Pushed,
			"imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json", "artifactMediaType": "application/vnd.docker.container.image.v1+json"}
		if len(x.Tags) > 0 {
			d["imageTags"] = x.Tags
		}
		shown = append(shown, d)
	}
	return page(r, "imageDetails", shown, len(r.List("imageIds")) > 0)
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}
