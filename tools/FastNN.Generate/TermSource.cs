using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Terms of penalties as C++ structs.</summary>
internal static class TermSource
{
    public static string Penalties()
    {
        CudaText x = CudaText.Named("x");
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"").Line();
        return text.Line("// One term of a penalty on weights, a |x| + b x^2, and its slope.").Line("struct PenaltyTerm {")
            .Indent(() => text
            .Function(
                "static DEVICE float value", [("float", "x"), ("Scalars", "s")],
                Printer.Print(("return {0};", PenaltyTerm.Value(x, default))))
            .Function(
                "static DEVICE float slope", [("float", "x"), ("Scalars", "s")],
                Printer.Print(("return {0};", PenaltyTerm.Slope(x, default)))))
            .Line("};").ToString();
    }
}
