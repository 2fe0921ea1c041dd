namespace FastNN.Testing;

/// <summary>
/// An LSTM over sequences [N, T, D], and a dense layer behind its last state: logits [N, classes]. PyTorch's names: lstm and fc.
/// </summary>
internal sealed class LstmClassifier : Layer
{
    private readonly Lstm _lstm;
    private readonly Dense _head;

    /// <param name="units">Numbers of a state; default 256.</param>
    /// <param name="classes">Logits; default 10.</param>
    public LstmClassifier(int units = 256, int classes = 10)
    {
        _lstm = AddLayer(new Lstm(units) { ReturnSequences = false }, "lstm");
        _head = AddLayer(new Dense(classes), "fc");
    }

    protected override Value Forward(Value x) => _head.Apply(_lstm.Apply(x));
}
