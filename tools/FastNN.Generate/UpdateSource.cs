using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Optimizers' updates as C++ structs, and the list of them that kernels are made from.</summary>
internal static class UpdateSource
{
    private static readonly string[] States = ["first", "second", "third"];

    public static string Text()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"").Line()
            .Line(
                "// p and g: a parameter and its gradient; first to third: what is remembered of it, and what becomes of that.");
        foreach (UpdateFunction update in FunctionTable.Updates)
        {
            text.Line().Comment($"{update.Info.Is}.");
            update.Accept(new Writer(text));
        }

        text.Line().Line("// F(last part of the kernel's name, update).");
        UnarySource.List(
            text, "UPDATE_FUNCTIONS",
            FunctionTable.Updates.Select(update => $"F({update.Info.Name.ToLowerInvariant()}, {update.Info.Name}Update)"));
        return text.ToString();
    }

    private sealed class Writer(SourceText text) : IUpdateVisitor<SourceText>
    {
        public SourceText Visit<TUpdate>(UpdateFunction update)
            where TUpdate : struct, IUpdateFunction
        {
            CudaText[] states = Array.ConvertAll(States, CudaText.Named);
            CudaText p = TUpdate.Step(
                CudaText.Named("p"), CudaText.Named("g"), ref states[0], ref states[1], ref states[2], default);
            IEnumerable<(string, CudaText)> results =
                [.. Enumerable.Range(0, TUpdate.States).Select(i => (Next(i) + " = {0};", states[i])), ("return {0};", p)];
            (string, string)[] parameters =
            [
                ("float", "p"), ("float", "g"), .. States.Select(name => ("float", name)),
                .. States.Select((_, i) => ("float&", Next(i))),
                ("const UpdateScalars&", "s"),
            ];
            return text.Line($"struct {update.Info.Name}Update {{").Indent(() => text
                .Line($"static constexpr int STATES = {TUpdate.States};")
                .Function("static DEVICE float step", parameters, Printer.Print(results)))
                .Line("};");
        }

        /// <summary>Apart from the old value's name: an expression further down may need both.</summary>
        private static string Next(int state) => $"next{char.ToUpperInvariant(States[state][0])}{States[state][1..]}";
    }
}
