using FastNN.Tensors;

namespace FastNN.Graphs;

/// <summary>Where the parameters of a plan lie.</summary>
internal interface IParameterPlaces
{
    /// <summary>A parameter's values.</summary>
    /// <exception cref="InvalidOperationException">It is not among them.</exception>
    Tensor Value(Parameter parameter);
}
