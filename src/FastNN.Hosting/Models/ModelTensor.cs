namespace FastNN.Hosting;

/// <summary>An input or output of a model, as a caller sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DataType">The type of its elements.</param>
/// <param name="Dimensions">Its extents in row-major order; -1 where every call decides.</param>
public sealed record ModelTensor(string Name, TensorDataType DataType, IReadOnlyList<int> Dimensions)
{
    /// <summary>Of an output of class scores, the names of the classes in order; empty where there are none.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];
}
