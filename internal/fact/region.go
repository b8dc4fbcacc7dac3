package fact

// OffersConnectionSource reports whether pipelines of a Region can have a connection source: the Regions where the action is
// not available are listed on the page "CodeStarSourceConnection" of the CodePipeline user guide; China has no connections.
func OffersConnectionSource(region string) bool {
	switch region {
	case "ap-east-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-northeast-3", "af-south-1",
		"me-south-1", "me-central-1", "eu-south-2", "eu-central-2", "il-central-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1":
		return false
	}
	return true
}

// IsRegion reports whether a text has the form of a Region's name.
func IsRegion(s string) bool { return regionName.MatchString(s) }
