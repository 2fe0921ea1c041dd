using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Functions of one number as C++ structs, and the lists of them that kernels are made from.</summary>
internal static class UnarySource
{
    public static string Text()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"");
        foreach (UnaryFunction function in FunctionTable.Unary)
        {
            text.Line().Line($"// {function.Info.Is}.");
            function.Accept(new Writer(text));
        }

        text.Line().Line("// F(last part of the kernels' names, function).");
        List(
            text, "UNARY_FUNCTIONS",
            FunctionTable.Unary.Select(function => $"F({function.Info.KernelName}, {function.TextName})"));
        text.Line().Line("// F(place in the table, function): those that products and convolutions may apply to their sums.");
        List(
            text, "EPILOGUE_FUNCTIONS",
            FunctionTable.Unary.Where(function => function.Info.MayBeEpilogue).Select(
                function => $"F({function.Id}, {function.TextName})"));
        return text.ToString();
    }

    /// <summary>A macro that applies another to each item.</summary>
    public static void List(SourceText text, string name, IEnumerable<string> items) =>
        text.Line($"#define {name}(F) \\").Indent(() => text.Line(string.Join(" \\\n    ", items)));

    private sealed class Writer(SourceText text) : IUnaryVisitor<SourceText>
    {
        public SourceText Visit<TFunction>(UnaryFunction function)
            where TFunction : struct, IUnaryFunction
        {
            // The kernel has no argument to read where the gradient needs none, so it must not name one.
            Reads reads = function.Info.ReadsWith(function.Info.Defaults);
            string argument = reads == Reads.Output ? "y" : "x";
            CudaText value = TFunction.Value(CudaText.Named("x"), default),
            gradient = TFunction.Gradient(CudaText.Named(argument), CudaText.Named("dY"), default);
            return text.Line($"struct {function.TextName} {{").Indent(() => text
                .Line($"static constexpr bool READS_NOTHING = {(reads == Reads.Nothing ? "true" : "false")};")
                .Function("static DEVICE float value", [("float", "x"), ("Scalars", "s")], Printer.Print(("return {0};", value)))
                .Function(
                    "static DEVICE float gradient", [("float", argument), ("float", "dY"), ("Scalars", "s")],
                    Printer.Print(("return {0};", gradient))))
                .Line("};");
        }
    }
}
