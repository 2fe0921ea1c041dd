using System.Globalization;
using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>What users call: a fluent call for each function, and the activation functions as values.</summary>
internal static class FluentSource
{
    public static string Operators()
    {
        SourceText text = new SourceText()
            .Line(SourceText.Origin).Line("using FastNN.Functions;").Line().Line("namespace FastNN;").Line()
            .Line("public static partial class Operators").Line("{");
        text.Indent(() =>
        {
            string separator = "";
            foreach (UnaryFunction function in FunctionTable.Unary)
            {
                if (separator.Length > 0)
                {
                    text.Line();
                }

                separator = "\n";
                FunctionInfo info = function.Info;
                text.Line($"/// <summary>{Xml(info.Is)}.</summary>").Line("/// <param name=\"x\">Any shape.</param>");
                Parameters(text, info);
                string arguments = string.Concat(
                    info.Scalars.Select(scalar => $", float {scalar.Name} = {Number(scalar.Default)}"));
                text.Line("/// <returns>A value of x's shape.</returns>")
                    .Line(
                        $"public static Value {info.Name}(this Value x{arguments}) => x.Apply<{function.TextName}>({Names(info)});");
            }
        });
        return text.Line("}").ToString();
    }

    public static string Activations()
    {
        SourceText text = new SourceText()
            .Line(SourceText.Origin).Line("using FastNN.Functions;").Line().Line("namespace FastNN;").Line()
            .Line("public readonly partial struct Activation").Line("{");
        text.Indent(() =>
        {
            string separator = "";
            foreach (UnaryFunction function in FunctionTable.Unary.Where(function => function.Info.IsActivation))
            {
                if (separator.Length > 0)
                {
                    text.Line();
                }

                separator = "\n";
                FunctionInfo info = function.Info;
                string name = function.TextName, what = Xml(info.Is);
                switch (info.Scalars)
                {
                    case []:
                        text.Line($"/// <summary>{what}.</summary>").Line(
                            $"public static Activation {info.Name} => Of<{name}>();");
                        break;
                    case [var scalar]:
                        text.Line(
                            $"/// <summary>{what}; {scalar.Name} is {Digits(scalar.Default)} where none is given.</summary>")
                            .Line($"public static ParametricActivation {info.Name} {{ get; }} = With<{name}>();");
                        break;
                    default:
                        text.Line($"/// <summary>{what}.</summary>");
                        Parameters(text, info);
                        string arguments = string.Join(
                            ", ", info.Scalars.Select(scalar => $"float {scalar.Name} = {Number(scalar.Default)}"));
                        text.Line("/// <returns>The function with these parameters.</returns>")
                            .Line($"public static Activation {info.Name}({arguments}) => Of<{name}>({Names(info)});");
                        break;
                }
            }
        });
        return text.Line("}").ToString();
    }

    /// <summary>The lines of PublicAPI.Unshipped.txt for both.</summary>
    public static string PublicApi()
    {
        var lines = new List<string>();
        foreach (UnaryFunction function in FunctionTable.Unary)
        {
            FunctionInfo info = function.Info;
            string[] scalars = Array.ConvertAll(info.Scalars, scalar => $"float {scalar.Name} = {Default(scalar.Default)}");
            lines.Add(
                $"static FastNN.Operators.{info.Name}({string.Join(", ", ["this FastNN.Value! x", .. scalars])}) -> FastNN.Value!");
            if (info.IsActivation)
            {
                lines.Add(scalars.Length switch
                {
                    0 => $"static FastNN.Activation.{info.Name}.get -> FastNN.Activation",
                    1 => $"static FastNN.Activation.{info.Name}.get -> FastNN.ParametricActivation!",
                    _ => $"static FastNN.Activation.{info.Name}({string.Join(", ", scalars)}) -> FastNN.Activation",
                });
            }
        }

        return string.Join(
            '\n', ["#nullable enable", .. lines.Concat(BinaryFluentSource.PublicApi()).Order(StringComparer.Ordinal), ""]);
    }

    public static string Xml(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;");

    private static void Parameters(SourceText text, FunctionInfo info)
    {
        foreach (ScalarInfo scalar in info.Scalars)
        {
            text.Line($"/// <param name=\"{scalar.Name}\">{Xml(scalar.Is)}; default {Digits(scalar.Default)}.</param>");
        }
    }

    private static string Names(FunctionInfo info) => string.Join(", ", info.Scalars.Select(scalar => scalar.Name));

    private static string Number(float value) =>
        float.IsFinite(value) ? $"{Digits(value)}f" : $"float.{(value > 0 ? "Positive" : "Negative")}Infinity";

    /// <summary>As documentation says it.</summary>
    private static string Digits(float value) =>
        float.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : value > 0 ? "infinity" : "-infinity";

    /// <summary>As the list of the public surface says it.</summary>
    private static string Default(float value) => float.IsFinite(value) ? Digits(value) : value > 0 ? "Infinity" : "-Infinity";
}
