using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Terms of reductions and their gradients as C++ structs, and the lists of them that kernels are made from.</summary>
internal static class ReductionSource
{
    public static string Text()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"").Line()
            .Comment(
                "What a reduction makes of its terms: in float from step to step, in double where the folds of many terms are joined.");
        foreach (FoldFunction fold in FunctionTable.Folds)
        {
            fold.Accept(new Writer(text));
        }

        text.Line().Comment("The gradients of terms, and which operands of the output each reads.");
        foreach (SlopeFunction slope in FunctionTable.Slopes)
        {
            slope.Accept(new Writer(text));
        }

        text.Line().Line("// F(part of the kernels' names, fold or slope).");
        UnarySource.List(text, "FOLD_FUNCTIONS", FunctionTable.Folds.Select(fold => $"F({fold.KernelName}, {fold.TextName})"));
        text.Line();
        UnarySource.List(
            text, "SLOPE_FUNCTIONS", FunctionTable.Slopes.Select(slope => $"F({slope.KernelName}, {slope.TextName})"));
        return text.ToString();
    }

    private sealed class Writer(SourceText text) : IFoldVisitor<SourceText>, ISlopeVisitor<SourceText>
    {
        public SourceText Visit<TFold>(FoldFunction fold)
            where TFold : struct, IFold
        {
            (CudaText a, CudaText b, CudaText folded, CudaText center) = (
                CudaText.Named("a"), CudaText.Named("b"), CudaText.Named("folded"), CudaText.Named("center"));
            CudaText step = TFold.Step(folded, CudaText.Named("x"), center);
            return text.Line().Line($"struct {fold.TextName} {{").Indent(() => text
                .Line($"static constexpr bool HAS_CENTER = {Text(TFold.HasCenter)};")
                .Function("static DEVICE float start", [], Printer.Print(("return {0};", TFold.Start)))
                .Function(
                    "static DEVICE float step", [("float", "folded"), ("float", "x"), ("float", "center")],
                    Printer.Print(("return {0};", step)))
                .Line("template <class T>")
                .Function("static DEVICE T join", [("T", "a"), ("T", "b")], Printer.Print(("return {0};", TFold.Join(a, b))))
                .Function(
                    "static DEVICE double finish", [("double", "folded"), ("double", "center")],
                    Printer.Print(("return {0};", TFold.Finish(folded, center)))))
                .Line("};");
        }

        SourceText ISlopeVisitor<SourceText>.Visit<TSlope>(SlopeFunction slope)
        {
            CudaText of = TSlope.Of(
                CudaText.Named("x"), CudaText.Named("o.y"), CudaText.Named("o.saved"), CudaText.Named("o.more"),
                CudaText.Named("o.dY"), CudaText.Named("o.scale"));
            IReadOnlyList<string> body = Printer.Print(("return {0};", of));
            string whole = string.Join('\n', body);
            string reads = string.Join(", ", new[] { ("X", "x"), ("Y", "o.y"), ("SAVED", "o.saved"), ("MORE", "o.more") }
                .Select(operand => $"{operand.Item1} = {Text(SourceText.Names(whole, operand.Item2))}"));
            return text.Line().Line($"struct {slope.TextName} {{").Indent(() => text
                .Line($"static constexpr bool {reads};")
                .Function("static DEVICE float of", [("float", "x"), ("const OutputOperands&", "o")], body))
                .Line("};");
        }

        private static string Text(bool value) => value ? "true" : "false";
    }
}
