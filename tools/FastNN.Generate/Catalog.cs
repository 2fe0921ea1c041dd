using System.Reflection;
using System.Text.RegularExpressions;
using FastNN.Data;
using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>What the library has, for the README: a table from its public surface, between two marks.</summary>
internal static partial class Catalog
{
    private const string Begin = "<!-- from the code, by tools/FastNN.Generate -->\n";
    private const string End = "<!-- to here -->\n";

    private static readonly Assembly Library = typeof(Device).Assembly;

    /// <summary>The README with the table as it must be.</summary>
    /// <exception cref="InvalidDataException">The marks are missing.</exception>
    public static string Into(string readme, string root)
    {
        int begin = readme.IndexOf(Begin, StringComparison.Ordinal), end = readme.IndexOf(End, StringComparison.Ordinal);
        return begin >= 0 && end > begin
            ? readme[..(begin + Begin.Length)] + Table(root) + readme[end..]
            : throw new InvalidDataException(
                $"README.md: expected the lines '{Begin.Trim()}' and '{End.Trim()}', in this order.");
    }

    private static string Table(string root) => new SourceText()
        .Line("| of these | there are |")
        .Line("|---|---|")
        .Line(Row("functions", FunctionTable.Unary.Select(function => function.Info.Name)))
        .Line(Row("operators", Operators()))
        .Line(Row("layers", Subclasses<Layer>()))
        .Line(
            Row("losses", Subclasses<Loss>().Select(name => name.EndsWith("Loss", StringComparison.Ordinal) ? name[..^4] : name)))
        .Line(Row("optimizers", Subclasses<Optimizer>()))
        .Line(Row("schedules", Schedules()))
        .Line(Row("callbacks", Subclasses<Callback>()))
        .Line(Row("data", Datasets(root)))
        .Line(Row("augmentations", Subclasses<Augmentation>().Concat(Subclasses<BatchMix>()).Order(StringComparer.Ordinal)))
        .ToString();

    private static string Row(string what, IEnumerable<string> names) => $"| {what} | {string.Join(", ", names)} |";

    /// <summary>Calls on values that are not functions of one number.</summary>
    private static IEnumerable<string> Operators()
    {
        string[] functions = [.. FunctionTable.Unary.Select(function => function.Info.Name)];
        return Library.ExportedTypes.Where(
            type => type is { IsAbstract: true, IsSealed: true, IsNested: false }
                && type.Name.EndsWith("Operators", StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(
                method => (method.ReturnType == typeof(Value) || method.ReturnType == typeof(Value[]))
                    && method.Name is not ("Apply" or "ApplyAll" or "Activate"))
            .Select(method => Symbol(method.Name)).Except(functions).Distinct().Order(StringComparer.Ordinal);
    }

    private static string Symbol(string method) => method switch
    {
        "op_Addition" => "`+`",
        "op_Subtraction" or "op_UnaryNegation" => "`-`",
        "op_Multiply" => "`*`",
        "op_Division" => "`/`",
        "op_LessThan" => "`<`",
        "op_LessThanOrEqual" => "`<=`",
        "op_GreaterThan" => "`>`",
        "op_GreaterThanOrEqual" => "`>=`",
        "op_BitwiseAnd" => "`&`",
        "op_BitwiseOr" => "`|`",
        "op_ExclusiveOr" => "`^`",
        "op_LogicalNot" => "`!`",
        _ when method.StartsWith("op_", StringComparison.Ordinal) => method[3..],
        _ => method,
    };

    private static IEnumerable<string> Subclasses<T>() => Library.ExportedTypes
        .Where(type => type.IsSubclassOf(typeof(T)) && !type.IsAbstract && !type.IsGenericType).Select(type => type.Name)
        .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Schedules() => typeof(Schedule).GetMethods(BindingFlags.Public | BindingFlags.Static)
        .Where(method => method.ReturnType.Name.StartsWith(nameof(Schedule), StringComparison.Ordinal)).Select(
            method => method.Name).Distinct()
        .Order(StringComparer.Ordinal);

    /// <summary>
    /// What has a Load method; read from the list of the public surface, so that this tool needs none of the readers.
    /// </summary>
    private static IEnumerable<string> Datasets(string root) =>
        Directory.GetFiles(Path.Combine(root, "src", "FastNN.Datasets"), "PublicAPI.*.txt")
        .SelectMany(File.ReadAllLines).Select(line => LoadMethod().Match(line)).Where(match => match.Success)
        .Select(match => match.Groups[1].Value)
        .Distinct().Order(StringComparer.Ordinal);

    [GeneratedRegex(@"^static FastNN\.Data\.(\w+)\.Load\(")]
    private static partial Regex LoadMethod();
}
