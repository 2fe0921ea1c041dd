namespace FastNN.Testing;

/// <summary>Every case of every operator, for the fixtures that run them all and for the benchmarks.</summary>
internal static class OpCases
{
    private static readonly Type[] Types = [.. typeof(OpCases).Assembly.GetTypes()
        .Where(type => type.IsAssignableTo(typeof(IOpCases)) && type is { IsClass: true, IsAbstract: false })
        .OrderBy(type => type.Name, StringComparer.Ordinal)];

    /// <summary>One fixture per operator: its cases' type closes the fixture's.</summary>
    public static IEnumerable<TestFixtureData> Fixtures => Types.Select(type => new TestFixtureData(Activator.CreateInstance(type)));

    public static IEnumerable<(string Operator, OpCase Case)> All =>
        from type in Types
        from @case in (IEnumerable<OpCase>)type.GetProperty(nameof(IOpCases.Cases))!.GetValue(null)!
        select (type.Name[..^"Cases".Length], @case);
}
