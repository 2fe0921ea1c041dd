using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>The elementary functions that hand-written kernels call, from the text that the CPU runs.</summary>
internal static class ElementarySource
{
    public static string Text()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once");
        CudaText x = CudaText.Named("x");
        Add("exp(x).", "exponential", Elementary.Exp(x));
        return text.ToString();

        void Add(string what, string name, CudaText value) => text.Line().Line($"// {what}")
            .Function($"DEVICE float {name}", [("float", "x")], Printer.Print(("return {0};", value)));
    }
}
