using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>
/// What users call of functions of two numbers: C# operators, and a method for what has no operator of its own.
/// </summary>
internal static class BinaryFluentSource
{
    private static readonly (string Symbol, string Name)[] Symbols =
    [
        ("+", "Addition"), ("-", "Subtraction"), ("*", "Multiply"), ("/", "Division"), ("<", "LessThan"),
        ("<=", "LessThanOrEqual"), (">", "GreaterThan"),
        (">=", "GreaterThanOrEqual"), ("&", "BitwiseAnd"), ("|", "BitwiseOr"), ("^", "ExclusiveOr"), ("%", "Modulus"),
    ];

    public static string Operators()
    {
        SourceText text = new SourceText()
            .Line(SourceText.Origin).Line("namespace FastNN;").Line()
            .Line(
                "/// <summary>Arithmetic, comparisons and logic, of two values or of a value and a number: <c>0.5f * (a - b) / c</c>. A number takes no memory.</summary>").Line("public static class BinaryOperators").Line("{");
        text.Indent(() =>
        {
            text.Line("extension(Value)").Line("{").Indent(() =>
            {
                string separator = "";
                foreach (BinaryFunction function in FunctionTable.Binary.Where(function => function.Info.Symbol is not null))
                {
                    string head = $"public static Value operator {function.Info.Symbol}",
                    record = $"ArithmeticOperators.Record<Functions.{function.TextName}>";
                    Separate(text, ref separator);
                    Documentation(text, function, number: null).Line($"{head}(Value a, Value b) => {record}(a, b);");
                    if (function.Info.Takes(OperandTypes.Floats))
                    {
                        Separate(text, ref separator);
                        Documentation(text, function, number: "b").Line($"{head}(Value a, float b) => {record}(a, b);");
                        Separate(text, ref separator);
                        Documentation(text, function, number: "a").Line($"{head}(float a, Value b) => {record}(a, b);");
                    }
                }
            }).Line("}");
            foreach (BinaryFunction function in FunctionTable.Binary.Where(function => !function.Info.IsOperatorOnly))
            {
                string head = $"public static Value {function.Info.Name}",
                record = $"ArithmeticOperators.Record<Functions.{function.TextName}>";
                Documentation(text.Line(), function, number: null).Line($"{head}(this Value a, Value b) => {record}(a, b);");
                if (function.Info.Takes(OperandTypes.Floats) && function.Info.HasNumberMethod)
                {
                    Documentation(text.Line(), function, number: "b").Line($"{head}(this Value a, float b) => {record}(a, b);");
                }
            }
        });
        return text.Line("}").ToString();
    }

    /// <summary>The lines of PublicAPI.Unshipped.txt.</summary>
    public static IEnumerable<string> PublicApi()
    {
        const string type = "static FastNN.BinaryOperators.", value = "FastNN.Value!";
        foreach (BinaryFunction function in FunctionTable.Binary)
        {
            BinaryInfo info = function.Info;
            if (info.Symbol is not null)
            {
                string name = Symbols.Single(row => row.Symbol == info.Symbol).Name;
                string[] operands = info.Takes(OperandTypes.Floats)
                    ? [$"{value} a, {value} b", $"{value} a, float b", $"float a, {value} b"]
                    : [$"{value} a, {value} b"];
                foreach (string pair in operands)
                {
                    yield return $"{type}extension({value}).operator {info.Symbol}({pair}) -> {value}";
                    yield return $"{type}op_{name}({pair}) -> {value}";
                }
            }

            if (!info.IsOperatorOnly)
            {
                yield return $"{type}{info.Name}(this {value} a, {value} b) -> {value}";
                if (info.Takes(OperandTypes.Floats) && info.HasNumberMethod)
                {
                    yield return $"{type}{info.Name}(this {value} a, float b) -> {value}";
                }
            }
        }
    }

    private static void Separate(SourceText text, ref string separator)
    {
        if (separator.Length > 0)
        {
            text.Line();
        }

        separator = "\n";
    }

    private static SourceText Documentation(SourceText text, BinaryFunction function, string? number)
    {
        BinaryInfo info = function.Info;
        string types = string.Join(" or ", new[]
        {
            (OperandTypes.Floats, "Float32"), (OperandTypes.Integers, "Int32"), (OperandTypes.Truths, "Bool"),
        }.Where(row => info.Takes(row.Item1) && (number is null || row.Item1 != OperandTypes.Truths)).Select(row => row.Item2));
        string element = number is null ? ", element by element, with NumPy's broadcasting" : ", element by element";
        text.Line($"/// <summary>{FluentSource.Xml(info.Is)}{element}.</summary>");
        foreach (string operand in new[] { "a", "b" })
        {
            string what = number == operand
                ? "A number."
                : number is null && operand == "b"
                ? "Of a's type."
                : $"Any shape of {types}.";
            text.Line($"/// <param name=\"{operand}\">{what}</param>");
        }

        string shape = number is null ? "of the shape that both broadcast to" : "of the value's shape";
        text.Line($"/// <returns>{(info.GivesTruth ? "Bool" : "A value")} {shape}.</returns>");
        return text.Line(number is null
            ? "/// <exception cref=\"ShapeException\">The shapes do not broadcast, or the types do not fit.</exception>"
            : "/// <exception cref=\"ShapeException\">The type does not fit.</exception>");
    }
}
