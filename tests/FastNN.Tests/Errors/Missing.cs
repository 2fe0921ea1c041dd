namespace FastNN.Tests.Errors;

/// <summary>The public classes that no row of a table is about.</summary>
internal static class Missing
{
    public static IEnumerable<string> Of<T>(IEnumerable<CallRow> rows) =>
        typeof(T).Assembly.ExportedTypes.Where(type => type.IsAssignableTo(typeof(T)) && !type.IsAbstract)
            .Select(type => type.Name).Except(rows.Select(row => row.Name));
}
