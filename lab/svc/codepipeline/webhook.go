package codepipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// webhook is a webhook of an old source action. The webhooks of connections are AWS's own and stand in no list.
type webhook struct {
	definition map[string]any
	url        string
	tags       map[string]string
}

// maxWebhooks is how many webhooks an account may have in a Region (quota L-FE939BB2).
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxWebhooks = 300

func webhookARN(account, region, name string) string {
	return "arn:aws:codepipeline:" + region + ":" + account + ":webhook:" + name
}

// onWebhook is the access of PutWebhook, which also names the pipeline, and of DeleteWebhook.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
func onWebhook(r *cloud.Request) []cloud.Access {
	name := r.Str("name")
	if d := r.Map("webhook"); d != nil && r.Operation == "PutWebhook" {
		name, _ = d["name"].(string)
		target, _ := d["targetPipeline"].(string)
		return append(access(r, ARN(r.Account(), r.Region, target)), access(r, webhookARN(r.Account(), r.Region, name))...)
	}
	return access(r, webhookARN(r.Account(), r.Region, name))
}

func onWebhooks(r *cloud.Request) []cloud.Access {
	return access(r, webhookARN(r.Account(), r.Region, "*"))
}

func (s *Service) putWebhook(r *cloud.Request) (map[string]any, error) {
	d := clone(r.Map("webhook"))
	name, _ := d["name"].(string)
	target, _ := d["targetPipeline"].(string)
	if _, err := s.find(r, target); err != nil {
		return nil, err
	}
	conf, _ := d["authenticationConfiguration"].(map[string]any)
	if d["authentication"] == "GITHUB_HMAC" && conf["SecretToken"] == nil || d["authentication"] == "IP" && conf["AllowedIPRange"] == nil {
		return nil, cloud.Errorf("InvalidWebhookAuthenticationParametersException", "The authentication parameters of the webhook '%s' are not valid", name)
	}
	arn := webhookARN(r.Account(), r.Region, name)
	w, old := s.webhooks[arn]
	if most := s.c.Limit(r.Account(), r.Region, "L-FE939BB2", maxWebhooks); !old && len(s.webhooksOf(r)) >= most {
		return nil, cloud.Errorf("LimitExceededException", "The account '%s' has reached the limit of %d webhooks in %s", r.Account(), most, r.Region)
	}
	if !old {
		id := strings.ReplaceAll(s.c.UUID(), "-", "")
		w = webhook{tags: map[string]string{}, url: "https://" + r.Region + ".webhooks.aws/trigger?t=" + id + "&v=1"}
	}
	if err := setTags(r, w.tags); err != nil {
		return nil, err
	}
	if conf["SecretToken"] != nil {
		conf["SecretToken"] = masked
	}
	w.definition = d
	s.webhooks[arn] = w
	return map[string]any{"webhook": w.show(arn)}, nil
}

// deleteWebhook deletes a webhook; one that does not exist is deleted already.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeleteWebhook.html
func (s *Service) deleteWebhook(r *cloud.Request) (map[string]any, error) {
	delete(s.webhooks, webhookARN(r.Account(), r.Region, r.Str("name")))
	return map[string]any{}, nil
}

// webhooksOf are the ARNs of the caller's webhooks in the Region of a request.
func (s *Service) webhooksOf(r *cloud.Request) []string {
	var all []string
	for _, arn := range slices.Sorted(maps.Keys(s.webhooks)) {
		if strings.HasPrefix(arn, webhookARN(r.Account(), r.Region, "")) {
			all = append(all, arn)
		}
	}
	return all
}

func (w webhook) show(arn string) map[string]any {
	out := map[string]any{"definition": clone(w.definition), "url": w.url, "arn": arn}
	if len(w.tags) > 0 {
		out["tags"] = tagList(w.tags)
	}
	return out
}

// listWebhooks pages with members that begin with capital letters, unlike all other lists of the service.
func (s *Service) listWebhooks(r *cloud.Request) (map[string]any, error) {
	if err := (rule{path: "MaxResults", min: 1, max: 100000}).walk(r.In, []string{"MaxResults"}, "", false); err != nil {
		return nil, err
	}
	all := []any{}
	for _, arn := range s.webhooksOf(r) {
		all = append(all, s.webhooks[arn].show(arn))
	}
	page, next, err := cloud.Page(s.c, all, r.Str("NextToken"), r.Int("MaxResults", 0), 100, "InvalidNextTokenException")
	if err != nil {
		return nil, err
	}
	out := map[string]any{"webhooks": append([]any{}, page...)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
