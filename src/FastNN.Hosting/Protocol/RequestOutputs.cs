namespace FastNN.Hosting.Protocol;

/// <summary>
/// The outputs that a request asks for, in its order, and how it wants each. Reused from request to request. Not thread-safe.
/// </summary>
internal sealed class RequestOutputs
{
    private RequestOutput[] _entries = new RequestOutput[4];
    private IModel? _model;
    private IReadOnlyList<ModelTensor> _tensors = [];
    private TensorNames? _names;

    /// <summary>The model's outputs, as they were when the request began.</summary>
    public IReadOnlyList<ModelTensor> Tensors => _tensors;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>One of them, to be set further.</summary>
    public ref RequestOutput this[int ordinal] => ref _entries.AsSpan(0, Count)[ordinal];

    /// <summary>Begins a request.</summary>
    public void Reset(IModel model)
    {
        _model = model;
        _tensors = model.Outputs;
        _names = TensorNames.Of(_tensors);
        Count = 0;
    }

    /// <summary>
    /// Begins a request that asks for the outputs which the last one asked for, of the same model and in the same way.
    /// </summary>
    public void Repeat(IModel model, IReadOnlyList<ModelTensor> tensors, int count)
    {
        (_model, _tensors, _names, Count) = (model, tensors, TensorNames.Of(tensors), count);
    }

    /// <summary>Lets go of the model.</summary>
    public void Clear()
    {
        _model = null;
        _names = null;
        _tensors = [];
        Count = 0;
    }

    /// <summary>Takes up an output by its name, checked.</summary>
    /// <returns>Its place among those of the request.</returns>
    public int Add(ReadOnlySpan<byte> name)
    {
        int index = _names!.IndexOf(name);
        if (index < 0)
        {
            throw new InferenceException(InferenceFailure.InvalidInput,
                $"model {Show.Name(_model!.Name)} has no output {Show.Name(name)}; its outputs are {Show.Names(_tensors)}");
        }

        for (int i = 0; i < Count; i++)
        {
            if (_entries[i].Index == index)
            {
                throw new InferenceException(
                    InferenceFailure.InvalidInput, $"output {Show.Name(name)} is asked for twice: ask once");
            }
        }

        return Add(index);
    }

    /// <summary>Takes up all outputs of the model, where the request asks for none in particular.</summary>
    public void AddAllIfNone()
    {
        for (int i = 0; Count == i && i < _tensors.Count; i++)
        {
            _ = Add(i);
        }
    }

    /// <summary>The output's description in the model.</summary>
    public ModelTensor Tensor(int ordinal) => _tensors[_entries[ordinal].Index];

    /// <summary>The output's name in UTF-8.</summary>
    public ReadOnlySpan<byte> Name(int ordinal) => _names![_entries[ordinal].Index];

    /// <summary>Sets how many classes an output is to be answered by, checked; 0 for its elements.</summary>
    public void SetClasses(int ordinal, long count)
    {
        ModelTensor tensor = Tensor(ordinal);
        if (count is < 0 or > int.MaxValue)
        {
            throw new InferenceException(InferenceFailure.InvalidInput,
                $"output {Show.Name(tensor.Name)}: expected a 'classification' of 0 or more classes, got {count}");
        }

        if (count > 0 && tensor.DataType is TensorDataType.Bool or TensorDataType.Bytes)
        {
            throw new InferenceException(InferenceFailure.InvalidInput, $"output {Show.Name(tensor.Name)}: " +
                $"'classification' needs numbers, and this output has datatype {TensorDataTypes.Name(tensor.DataType)}");
        }

        _entries[ordinal].Classes = (int)count;
    }

    private int Add(int index)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, 2 * Count);
        }

        _entries[Count] = new RequestOutput { Index = index };
        return Count++;
    }
}

/// <summary>How a request wants one output.</summary>
internal struct RequestOutput
{
    /// <summary>Its place in <see cref="IModel.Outputs"/>.</summary>
    public int Index;

    /// <summary>How many classes are to be told instead of the elements; 0 for the elements.</summary>
    public int Classes;

    /// <summary>Whether its elements are to follow as bytes behind the answer's JSON; null as the request says for all.</summary>
    public bool? Binary;
}
