using FastNN.Functions;

namespace FastNN.Generate;

/// <summary>Functions of two numbers as C++ structs, and the lists of them that kernels are made from.</summary>
internal static class BinarySource
{
    public static string Text()
    {
        SourceText text = new SourceText().Line(SourceText.Origin).Line("#pragma once").Line("#include \"functions.cuh\"");
        IReadOnlyList<BinaryFunction> all = FunctionTable.Binary;
        foreach (BinaryFunction function in all)
        {
            text.Line().Line($"// {function.Info.Is}.");
            function.Accept(new Writer(text));
        }

        text.Line().Line("// F(last part of the kernels' names, function).");
        List("ARITHMETIC_FUNCTIONS", all.Where(function => function.Info.IsArithmetic), "");
        List(
            "BINARY_FUNCTIONS", all.Where(function => !function.Info.IsArithmetic && function.Info.Takes(OperandTypes.Floats)),
            "");
        List("FIRST_GRADIENTS", all.Where(function => function.Info.First.Form == GradientForm.Text), "");
        List("SECOND_GRADIENTS", all.Where(function => function.Info.Second.Form == GradientForm.Text), "");
        List("TRUTH_FUNCTIONS", all.Where(function => function.Info.Takes(OperandTypes.Truths)), "");
        text.Line().Line("// F(last part of the kernels' names, function, type of the result).");
        List(
            "INTEGER_FUNCTIONS", all.Where(function => function.Info.Takes(OperandTypes.Integers) && function.Info.GivesTruth),
            ", uint8", all.Where(
            function => function.Info.Takes(OperandTypes.Integers) && !function.Info.GivesTruth), ", int");
        return text.ToString();

        void List(
            string name, IEnumerable<BinaryFunction> functions, string end, IEnumerable<BinaryFunction>? more = null,
            string moreEnd = "") =>
            text.Line($"#define {name}(F) \\").Indent(() => text.Line(string.Join(
                " \\\n    ",
                functions.Select(function => Item(function, end)).Concat(
                    (more ?? []).Select(function => Item(function, moreEnd))))));

        static string Item(BinaryFunction function, string end) => $"F({function.Info.KernelName}, {function.TextName}{end})";
    }

    private sealed class Writer(SourceText text) : IBinaryVisitor<SourceText>
    {
        public SourceText Visit<TFunction>(BinaryFunction function)
            where TFunction : struct, IBinaryFunction
        {
            BinaryInfo info = function.Info;
            (CudaText a, CudaText b, CudaText y, CudaText dY) = (
                CudaText.Named("a"), CudaText.Named("b"), CudaText.Named("y"), CudaText.Named("dY"));
            IReadOnlyList<string> value = Printer.Print(("return {0};", TFunction.Value(a, b)));

            // Of floats and of integers where a row says so.
            bool isTemplate = info.Takes(OperandTypes.Integers) || info.Takes(OperandTypes.Truths);
            string type = isTemplate ? "T" : "float";
            if (isTemplate)
            {
                value = [
                    .. value.Select(
                        line => line.StartsWith("float ", StringComparison.Ordinal) ? $"T{line["float".Length..]}" : line)];
            }

            return text.Line($"struct {function.TextName} {{").Indent(() =>
            {
                text.Line($"typedef {(info.GivesTruth ? "uint8" : "float")} Result;")
                    .Line($"static constexpr bool COMMUTATIVE = {(info.IsCommutative ? "true" : "false")};");
                (isTemplate ? text.Line("template <class T>") : text).Function(
                    $"static DEVICE {type} value", [(type, "a"), (type, "b")], value);
                (string, string)[] parameters = [("float", "a"), ("float", "b"), ("float", "y"), ("float", "dY")];
                if (info.First.Form == GradientForm.Text)
                {
                    text.Function(
                        "static DEVICE float firstGradient", parameters,
                        Printer.Print(("return {0};", TFunction.FirstGradient(a, b, y, dY))));
                }

                if (info.Second.Form == GradientForm.Text)
                {
                    text.Function(
                        "static DEVICE float secondGradient", parameters,
                        Printer.Print(("return {0};", TFunction.SecondGradient(a, b, y, dY))));
                }
            }).Line("};");
        }
    }
}
