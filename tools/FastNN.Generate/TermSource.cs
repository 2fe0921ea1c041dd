using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Losses of single elements and terms of penalties as C++ structs.</summary>
internal static class TermSource
{
    public static string Losses()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"");
        Add<SquaredError>(text);
        Add<ProbabilityLoss>(text);
        Add<LogitLoss>(text);
        Add<WeightedLogitLoss>(text);
        return text.ToString();
    }

    public static string Penalties()
    {
        CudaText x = CudaText.Named("x");
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"").Line();
        return text.Line("// One term of a penalty on weights, a |x| + b x^2, and its slope.").Line("struct PenaltyTerm {").Indent(() => text
            .Function("static DEVICE float value", [("float", "x"), ("Scalars", "s")], Printer.Print(("return {0};", PenaltyTerm.Value(x, default))))
            .Function("static DEVICE float slope", [("float", "x"), ("Scalars", "s")], Printer.Print(("return {0};", PenaltyTerm.Slope(x, default)))))
            .Line("};").ToString();
    }

    private static void Add<TFunction>(SourceText text)
        where TFunction : struct, ILossFunction
    {
        (CudaText x, CudaText t, CudaText p) = (CudaText.Named("x"), CudaText.Named("t"), CudaText.Named("p"));
        (string, string)[] parameters = [("float", "x"), ("float", "t"), ("float", "p")];
        text.Line().Line($"// {TFunction.Is}.").Line($"struct {typeof(TFunction).Name} {{").Indent(() => text
            .Line($"static constexpr bool TAKES_POSITIVE_WEIGHT = {(TFunction.TakesPositiveWeight ? "true" : "false")};")
            .Function("static DEVICE float value", parameters, Printer.Print(("return {0};", TFunction.Value(x, t, p))))
            .Function("static DEVICE float slope", parameters, Printer.Print(("return {0};", TFunction.Slope(x, t, p)))))
            .Line("};");
    }
}
