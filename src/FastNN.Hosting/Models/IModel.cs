namespace FastNN.Hosting;

/// <summary>
/// A model that answers calls: one version of it, loaded and warm. Thread-safe. Of a model that is reloaded, the one object stays
/// and answers from the new weights.
/// </summary>
public interface IModel
{
    /// <summary>Its name, as it was registered or as its folder is called.</summary>
    string Name { get; }

    /// <summary>Its version: a positive number in decimal digits.</summary>
    string Version { get; }

    /// <summary>What the model was read from: <c>onnx</c> or <c>fastnn</c>.</summary>
    string Platform { get; }

    /// <summary>What goes in, in order.</summary>
    IReadOnlyList<ModelTensor> Inputs { get; }

    /// <summary>What comes out, in order.</summary>
    IReadOnlyList<ModelTensor> Outputs { get; }

    /// <summary>
    /// The most examples of one call; 0 where the first extent of inputs and outputs is not a number of examples.
    /// </summary>
    int MaxBatch => 0;

    /// <summary>Begins a call, from a pool: set the inputs, run, read the outputs, dispose.</summary>
    /// <exception cref="InferenceException">The model is not ready.</exception>
    ModelCall Begin();
}
