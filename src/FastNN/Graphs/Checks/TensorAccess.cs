using System.Globalization;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Graphs.Checks;

/// <summary>What a tensor is to the pass of a node that is handed it.</summary>
internal enum TensorRole
{
    Input,
    Output,
    Saved,
    Workspace,
    OutputGradient,
    InputGradient,
}

/// <summary>A tensor that one pass of a node is handed.</summary>
/// <param name="Role">What it is.</param>
/// <param name="Index">Which of them.</param>
/// <param name="Planned">Where the plan says that it lies.</param>
/// <param name="Tensor">Where it lies.</param>
/// <param name="Writes">Whether the pass may write it.</param>
internal readonly record struct TensorAccess(TensorRole Role, int Index, PlannedTensor Planned, Tensor Tensor, bool Writes)
{
    private nint End => Tensor.Address + (nint)Tensor.Bytes;

    public bool Overlaps(TensorAccess other) =>
        Tensor.Bytes > 0 && other.Tensor.Bytes > 0 && Tensor.Address < other.End && other.Tensor.Address < End;

    public bool Equals(Tensor other) => Tensor.Address == other.Address && Tensor.Bytes == other.Bytes;

    /// <summary>As in <c>input 1, Float32[3, 4] at 0x7f10 to 0x7f40</c>.</summary>
    public override string ToString()
    {
        string role = Role switch
        {
            TensorRole.Input => "input",
            TensorRole.Output => "output",
            TensorRole.Saved => "saved tensor",
            TensorRole.Workspace => "workspace",
            TensorRole.OutputGradient => "the gradient of output",
            _ => "the gradient of input",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{role} {Index}, {Describe(Tensor)}");
    }

    /// <summary>Fails unless one live block of the device holds the tensor and its address fits its elements.</summary>
    /// <param name="device">Whose blocks.</param>
    /// <param name="what">The operator and pass, for the message.</param>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public void Require(IDevice device, string what)
    {
        if (!IsValid(device, Tensor))
        {
            throw Invalid(device, Tensor, what, ToString());
        }
    }

    /// <summary>As <see cref="Require(IDevice, string)"/>, for calls outside of plans, such as updates of parameters.</summary>
    public static void Require(IDevice device, string what, params ReadOnlySpan<Tensor?> tensors)
    {
        for (int i = 0; i < tensors.Length; i++)
        {
            if (tensors[i] is { } tensor && !IsValid(device, tensor))
            {
                throw Invalid(
                    device, tensor, what, string.Create(CultureInfo.InvariantCulture, $"tensor {i}, {Describe(tensor)}"));
            }
        }
    }

    private static bool IsValid(IDevice device, Tensor tensor) =>
        tensor.Address % tensor.Type.Size() == 0 && (tensor.Bytes == 0 || device.LiveBlocks!.Holds(tensor.Address, tensor.Bytes));

    private static InvalidOperationException Invalid(IDevice device, Tensor tensor, string what, string which)
    {
        string wrong = tensor.Address % tensor.Type.Size() != 0
            ? $"is not aligned to its elements of {tensor.Type.Size()} bytes"
            : $"lies in no live block of {device.Kind}; {device.LiveBlocks!.DescribeNearest(tensor.Address)}";
        return new InvalidOperationException($"{DebugChecks.Variable}: {what}: {which}, {wrong}.");
    }

    private static string Describe(Tensor tensor) =>
        string.Create(
            CultureInfo.InvariantCulture, $"{tensor} at 0x{tensor.Address:x} to 0x{tensor.Address + (nint)tensor.Bytes:x}");
}
