using System.Globalization;
using FastNN.Functions;
using FastNN.Onnx.Export;
using FastNN.Onnx.Model;
using FastNN.Ops;
using FastNN.Testing;
using Microsoft.ML.OnnxRuntime;

namespace FastNN.Onnx.Tests.Export;

/// <summary>
/// Every case that the engine declares of an operator, written as a file and run by ONNX Runtime and on the host; what cannot be
/// written is refused by name.
/// </summary>
public sealed class ExportOperatorTests
{
    // Losses and penalties, which belong to training, and what users wrote.
    private static readonly string[] Refused =
        ["CrossEntropy", "Ctc", "Custom", "Dropout", "ElementLoss", "Penalty", "TransposeFilters"];

    private static IEnumerable<string> Families => OpCases.Families.Select(family => family.Name);

    [TestCaseSource(nameof(Families))]
    public void Operators_compute_the_same_in_onnx_runtime_and_here(string family)
    {
        var faults = new List<string>();
        int index = 0, written = 0, refused = 0;
        foreach (OpCase one in OpCases.Families.Single(entry => entry.Name == family).Declare())
        {
            int opset = 17 + (index++ % 5);
            try
            {
                Check(one, opset, faults);
                written++;
            }
            catch (OnnxException exception) when (exception.Message.StartsWith("ExportOnnx:", StringComparison.Ordinal))
            {
                refused++;
                if (!MayRefuse(family, exception.Message, opset))
                {
                    faults.Add($"{one.Name}: {exception.Message}");
                }
            }
        }

        TestContext.Out.WriteLine($"{family}: {written} written, {refused} refused");
        Assert.That(faults, Is.Empty, string.Join('\n', faults.Take(20)));
        Assert.That(written, Refused.Contains(family) ? Is.Zero : Is.Positive);
    }

    [Test]
    public void Every_operator_of_the_engine_has_a_rule_or_a_reason()
    {
        Type[] operators = [.. typeof(Operator).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(Operator)) && !type.IsAbstract)];
        Assert.That(operators, Has.Length.GreaterThan(40));
        Assert.That(
            operators.Where(type => !ExportRules.Has(type) && ExportRules.Reason(type) is null).Select(type => type.Name),
            Is.Empty);
    }

    [Test]
    public void Every_function_of_the_engine_has_a_form_or_a_reason()
    {
        Assert.That(
            FunctionTable.Unary.Select(function => function.Info.Name).Except(FunctionExports.Names), Is.Empty);
        Assert.That(
            FunctionTable.Binary.Select(function => function.Info.Name).Except(BinaryExports.Names)
                .Except(BinaryExports.Reasons.Keys), Is.Empty);
    }

    private static bool MayRefuse(string family, string message, int opset) => Refused.Contains(family)
        || message.Contains("belongs to training", StringComparison.Ordinal)
        || message.Contains("belong to training", StringComparison.Ordinal)
        || message.Contains("the compiler puts it into plans", StringComparison.Ordinal)
        || message.Contains("ONNX shifts unsigned integers alone", StringComparison.Ordinal)
        || message.Contains("ONNX has products up to each place", StringComparison.Ordinal)
        || message.Contains("ONNX cuts off only where it pads", StringComparison.Ordinal)
        || message.Contains("ONNX has positions of maxima", StringComparison.Ordinal)
        || (opset == 17 && message.Contains("from opset 18 on", StringComparison.Ordinal));

    /// <summary>Whether the standard leaves open what comes out: numbers beyond what the type holds.</summary>
    private static bool IsUndefined(string name) =>
        name.StartsWith("floats outside the range", StringComparison.Ordinal) || name == "Prod of Int32 [40001] over [0]";

    private static void Check(OpCase one, int opset, List<string> faults)
    {
        Value output = one.Record();
        OnnxExport.Written file = OnnxExport.Write(output.Graph, [("y", output)], opset, null);
        byte[] bytes = ModelWriter.Write(file.Model).ToArray();
        double[][] drawn = one.Draw();
        var inputs = new Dictionary<string, OnnxValue>();
        for (int i = 0; i < one.Inputs.Count; i++)
        {
            ExportPort port = file.Ports.Inputs[i];
            inputs.Add(port.Name, Layouts.ToFile(
                port, Layouts.Tensor(one.Inputs[i].Type, drawn[i], one.Inputs[i].Shape.ToArray())));
        }

        double[] wanted = one.Reference(drawn);
        if (IsUndefined(one.Name))
        {
            return;
        }

        Compare("ONNX Runtime", () =>
        {
            using var peer = new Peer(bytes, optimizes: false);
            return peer.Run(inputs)[0];
        });
        Compare("the host", () =>
        {
            using OnnxModel model = OnnxModel.Load(bytes, one.Name);
            return (OnnxTensor)model.Evaluate(inputs)[0]!;
        });

        void Compare(string who, Func<OnnxTensor> run)
        {
            try
            {
                double distance = Layouts.Distance(
                    Layouts.Numbers(Layouts.FromFile(file.Ports.Outputs[0], run())), wanted);
                if (distance > 2 * one.Tolerance)
                {
                    faults.Add(string.Create(
                        CultureInfo.InvariantCulture, $"{one.Name} (opset {opset}): {who} differs by {distance:g3}"));
                }
            }
            catch (OnnxRuntimeException exception) when (exception.Message.Contains("NotImplemented", StringComparison.Ordinal)
                && (one.Inputs.Any(input => input.Type is DType.BFloat16)
                    || one.Name.Contains("BFloat16", StringComparison.Ordinal)))
            {
                // ONNX Runtime has few kernels for that type; the host's result was compared.
            }
#pragma warning disable CA1031 // Whatever is thrown is a fault of this case; the others are still looked at.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                faults.Add($"{one.Name} (opset {opset}): {who}: {exception.GetType().Name}: {exception.Message}");
            }
        }
    }
}
