namespace FastNN.Testing;

/// <summary>One fixture per operator: its cases' type closes the fixture's.</summary>
internal static class OpFixtures
{
    public static IEnumerable<TestFixtureData> All =>
        OpCases.Families.Select(family => new TestFixtureData(Activator.CreateInstance(family.Declaration)));
}
