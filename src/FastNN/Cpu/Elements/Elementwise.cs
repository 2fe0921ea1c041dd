using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Functions of two numbers with broadcasting: 12 bytes moved per element where both operands are whole, 8 where one is a row, a
/// column or a number, which stays in the cache; 4 or 5 where only a Bool is written. The loops are in BinaryLoops.cs.
/// </summary>
internal sealed unsafe partial class CpuElements
{
    public void BinaryForward(BinaryFunction function, Operand a, Operand b, Tensor y)
    {
        if (y.Count == 0)
        {
            return;
        }

        // A number is a scalar on this stack: the loops are over when this returns.
        (float first, float second) = (a.Number, b.Number);
        var axes = new BroadcastAxes(y.Shape, a.Shape, b.Shape);
        DType type = a.Type ?? b.Type ?? DType.Float32;
        BinaryLoops loops = BinaryLoops.Of(function);
        if (type == DType.Float32)
        {
            loops.Forward(Pool, axes, AddressOf(a, &first), AddressOf(b, &second), y);
            return;
        }

        (int left, int right) = ((int)first, (int)second);
        loops.Integers(
            Pool, axes, type, a.Tensor is null ? &left : (void*)a.Tensor.Address,
            b.Tensor is null ? &right : (void*)b.Tensor.Address, y);
    }

    public void BinaryBackward(
        BinaryFunction function, int operand, Operand a, Operand b, Tensor y, Tensor dY, Tensor dX, bool accumulate)
    {
        (GradientForm form, Operand other) = (function.Info.Gradient(operand).Form, operand == 0 ? b : a);
        if (dY.Count == 0 && dX.Count == 0)
        {
            return;
        }

        if (dX.Count != dY.Count)
        {
            SumGradient(form, other, dY, dX, accumulate);
            return;
        }

        (float first, float second) = (a.Number, b.Number);
        switch (form)
        {
            case GradientForm.Upstream when accumulate || dX.Address != dY.Address:
                Copy(dY, dX, accumulate);
                break;
            case GradientForm.Upstream:
                break;
            case GradientForm.Negated:
                ElementLoop.Map(Pool, dY, dY, dX, default(GradientOf<Negate>), accumulate);
                break;
            case GradientForm.Product:
                BinaryLoops.Multiply(
                    Pool, new BroadcastAxes(dY.Shape, dY.Shape, other.Shape), Floats(dY),
                    AddressOf(other, operand == 0 ? &second : &first), Floats(dX),
                    dY.Count, accumulate);
                break;
            default:
                Operands reads = function.Info.Gradient(operand).Reads;
                float unread = 0;
                var axes = new BroadcastAxes(
                    dY.Shape, Reads(Operands.First) ? a.Shape : default, Reads(Operands.Second) ? b.Shape : default);
                BinaryLoops.Of(function).Gradient(
                    Pool, operand, axes, Reads(Operands.First) ? AddressOf(a, &first) : &unread,
                    Reads(Operands.Second) ? AddressOf(b, &second) : &unread,
                    Reads(Operands.Output) ? Floats(y) : Floats(dY), dY, dX, accumulate);
                break;

                bool Reads(Operands which) => (reads & which) != 0;
        }
    }

    public void SumRepeated(Tensor dY, Tensor dX, bool accumulate)
    {
        if (dX.Count == dY.Count)
        {
            Copy(dY, dX, accumulate);
        }
        else
        {
            SumGradient(GradientForm.Upstream, default, dY, dX, accumulate);
        }
    }

    private void SumGradient(GradientForm form, Operand other, Tensor dY, Tensor dX, bool accumulate)
    {
        float number = other.Number;
        BroadcastSum sum = form switch
        {
            GradientForm.Upstream => new(dY, dX, null, default, 1),
            GradientForm.Negated => new(dY, dX, null, default, -1),
            GradientForm.Product => new(dY, dX, AddressOf(other, &number), other.Shape, 1),
            _ => throw new InvalidOperationException($"A gradient of the form {form} is written out before it is summed."),
        };
        sum.Run(Pool, accumulate);
    }

    private static float* AddressOf(Operand operand, float* number) => operand.Tensor is null ? number : Floats(operand.Tensor);
}
