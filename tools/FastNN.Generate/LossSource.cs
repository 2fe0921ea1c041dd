using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Losses of single elements as C++ structs, and the list of them that kernels are made from.</summary>
internal static class LossSource
{
    public static string Text()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"");
        foreach (LossFunction loss in FunctionTable.Losses)
        {
            text.Line().Comment($"{loss.Info.Is}.");
            loss.Accept(new Writer(text));
        }

        text.Line().Line("// F(last part of the kernels' names, loss).");
        UnarySource.List(
            text, "LOSS_FUNCTIONS",
            FunctionTable.Losses.Select(loss => $"F({loss.TextName.ToLowerInvariant()}, {loss.TextName})"));
        return text.ToString();
    }

    private sealed class Writer(SourceText text) : ILossVisitor<SourceText>
    {
        private static readonly (string, string)[] Parameters = [
            ("float", "x"), ("float", "t"), ("float", "p"), ("Scalars", "s")];

        public SourceText Visit<TFunction>(LossFunction loss)
            where TFunction : struct, ILossFunction
        {
            (CudaText x, CudaText t, CudaText p) = (CudaText.Named("x"), CudaText.Named("t"), CudaText.Named("p"));
            return text.Line($"struct {loss.TextName} {{").Indent(() => text
                .Line($"static constexpr bool TAKES_POSITIVE_WEIGHT = {(TFunction.TakesPositiveWeight ? "true" : "false")};")
                .Function(
                    "static DEVICE float value", Parameters, Printer.Print(("return {0};", TFunction.Value(x, t, p, default))))
                .Function(
                    "static DEVICE float slope", Parameters, Printer.Print(("return {0};", TFunction.Slope(x, t, p, default)))))
                .Line("};");
        }
    }
}
