package cloud

// DefaultRegions returns the Regions of the aws partition with the status a new account finds them in: the Regions
// launched before 20 March 2019 are on, the younger ones must be opted into.
// https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
func DefaultRegions() map[string]string {
	all := map[string]string{}
	for _, r := range []string{
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
		"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	} {
		all[r] = "ENABLED_BY_DEFAULT"
	}
	for _, r := range []string{
		"af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7",
		"ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1",
	} {
		all[r] = "DISABLED"
	}
	return all
}
