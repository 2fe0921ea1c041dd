using System.Buffers;
using FastNN.Formats;

namespace FastNN;

/// <summary>
/// Writes event files for TensorBoard: scalars, histograms, images, texts, hyperparameters, and graphs
/// (<see cref="TensorBoardExtensions.AddGraph"/>). Each run has a folder of its own: <c>tensorboard --logdir runs</c> shows
/// all folders in runs beside each other. A thread of the writer encodes and writes; a call only puts its numbers into a queue,
/// and waits only where the queue is full (10,000 events or 64 MiB of images and histograms). What was added is handed to the
/// operating system within a second, in whole records. Calls from several threads are allowed.
/// </summary>
/// <remarks>
/// What goes wrong while writing, such as a full disk, is thrown by the next call, or else by <see cref="Dispose"/>. After that
/// nothing more is written; what was written before can be read.
/// </remarks>
public sealed class TensorBoardWriter : IDisposable
{
    private const int Capacity = 10_000;
    private const long MaxBytes = 64 << 20;
    private const int WriteBytes = 1 << 20;

    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(1);

    private readonly EventFile _file;
    private readonly EventQueue _queue;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private int _disposed;
    private int _isFailureKnown;

    /// <summary>Creates a file of events in a folder.</summary>
    /// <param name="folder">The run's folder, made if it is missing. Files that are in it already stay, and belong to the same
    /// run.</param>
    /// <param name="purgeStep">Where a run is continued: its first step from here on. TensorBoard no longer shows what earlier
    /// files in the folder have for this and later steps. Null, the default, for a new run.</param>
    /// <exception cref="ArgumentException">The folder is empty.</exception>
    /// <exception cref="IOException">The folder or the file cannot be made.</exception>
    public TensorBoardWriter(string folder, long? purgeStep = null)
        : this(
            EventFile.Create(folder, TimeProvider.System.GetUtcNow()), TimeProvider.System, Capacity, MaxBytes, Delay, purgeStep)
    {
    }

    internal TensorBoardWriter(
        EventFile file, TimeProvider time, int capacity, long maxBytes, TimeSpan delay, long? purgeStep = null)
    {
        (_file, _time) = (file, time);
        _queue = new EventQueue(capacity, maxBytes, delay);
        if (purgeStep is { } step)
        {
            Add(EventKind.SessionStart, step, "");
        }

        double now = Now();
        _thread = new Thread(() => Write(now)) { IsBackground = true, Name = "FastNN TensorBoard writer" };
        _thread.Start();
    }

    /// <summary>The file that is written.</summary>
    public string FilePath => _file.Path;

    /// <summary>Adds a number.</summary>
    /// <param name="tag">What it is; "/" in it puts tags into groups: "loss/total".</param>
    /// <param name="value">The number, kept as a float; NaN and infinite ones are marked in TensorBoard's charts.</param>
    /// <param name="step">The step it is of, such as the number of updates so far.</param>
    /// <exception cref="ArgumentException">The tag is empty.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddScalar(string tag, double value, long step)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        Add(EventKind.Scalar, step, tag, (float)value);
    }

    /// <summary>
    /// Adds the distribution of numbers, in TensorFlow's buckets, whose limits grow by a tenth from 1e-12 to 1e20. Numbers that
    /// are not finite are left out, of its count too.
    /// </summary>
    /// <param name="tag">What they are.</param>
    /// <param name="values">The numbers; copied.</param>
    /// <param name="step">The step they are of.</param>
    /// <exception cref="ArgumentException">The tag is empty.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddHistogram(string tag, ReadOnlySpan<float> values, long step)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        float[] copy = ArrayPool<float>.Shared.Rent(values.Length);
        values.CopyTo(copy);
        Add(EventKind.Histogram, step, tag, content: copy, length: values.Length);
    }

    /// <summary>Adds an image.</summary>
    /// <param name="tag">What it shows.</param>
    /// <param name="pixels">Bytes from 0 to 255, [height, width, channels] flattened; copied.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="channels">1 for gray, 2 for gray and alpha, 3 for RGB, 4 for RGBA.</param>
    /// <param name="step">The step it is of.</param>
    /// <exception cref="ArgumentException">The tag is empty, or sizes and number of bytes do not fit, as for
    /// <see cref="PngWriter.Encode"/>.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddImage(string tag, ReadOnlySpan<byte> pixels, int width, int height, int channels, long step)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        PngWriter.Check(pixels.Length, width, height, channels);
        Add(EventKind.Image, step, tag, content: new PixelBlock(pixels.ToArray(), width, height, channels));
    }

    /// <summary>Adds images as one, laid out in a grid.</summary>
    /// <param name="tag">What they show.</param>
    /// <param name="images">Their values.</param>
    /// <param name="shape">[N, H, W, C] with 1, 3 or 4 channels, or [N, H, W].</param>
    /// <param name="step">The step they are of.</param>
    /// <param name="grid">How values become pixels, and how they are laid out; null for values from 0 to 1.</param>
    /// <exception cref="ArgumentException">The tag is empty, or as for <see cref="ImageGrid.Encode"/>.</exception>
    /// <exception cref="ShapeException">As for <see cref="ImageGrid.Encode"/>.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddImages(string tag, ReadOnlySpan<float> images, Shape shape, long step, ImageGrid? grid = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        Add(EventKind.Image, step, tag, content: (grid ?? new ImageGrid()).Render(images, shape));
    }

    /// <summary>Adds an image that is a PNG file already.</summary>
    /// <param name="tag">What it shows.</param>
    /// <param name="file">The file's bytes; copied.</param>
    /// <param name="step">The step it is of.</param>
    /// <exception cref="ArgumentException">The tag is empty, or the bytes do not begin as a PNG file does.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddPng(string tag, ReadOnlySpan<byte> file, long step)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        _ = PngWriter.SizeOf(file);
        Add(EventKind.Image, step, tag, content: file.ToArray());
    }

    /// <summary>Adds a text.</summary>
    /// <param name="tag">What it is.</param>
    /// <param name="text">Markdown.</param>
    /// <param name="step">The step it is of.</param>
    /// <exception cref="ArgumentException">The tag is empty.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddText(string tag, string text, long step)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        ArgumentNullException.ThrowIfNull(text);
        Add(EventKind.Value, step, tag, content: EventEncoder.Text(tag, text));
    }

    /// <summary>
    /// Adds the run's hyperparameters, by which TensorBoard compares runs; once per run. <see cref="EndRun"/> says how it ended.
    /// </summary>
    /// <param name="values">Each under its name: numbers, truth values, texts.</param>
    /// <param name="compared">The scalars that stand beside them. Default all: TensorBoard then collects hyperparameters and
    /// scalars from the runs. Otherwise it takes the lists of the first run that it finds, so all runs should give the
    /// same.</param>
    /// <exception cref="ArgumentException">There are none, a name is empty, or a value is a default instance.</exception>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void AddHyperparameters(
        IReadOnlyDictionary<string, Hyperparameter> values, IReadOnlyList<ComparedScalar>? compared = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0)
        {
            throw new ArgumentException("AddHyperparameters: expected at least one hyperparameter, got none.", nameof(values));
        }

        foreach ((string name, Hyperparameter value) in values)
        {
            if (name.Length == 0 || value.Value is null)
            {
                throw new ArgumentException(
                    $"AddHyperparameters: expected a name and a number, truth value or text for each, got '{Quote.Text(name)}' with {(value.Value is null ? "nothing" : value)}.",
                    nameof(values));
            }
        }

        double now = Now();
        if (compared is { Count: > 0 })
        {
            Add(EventKind.Value, 0, "", content: HyperparameterEncoder.Experiment(values, compared, now));
        }

        Add(EventKind.Value, 0, "", content: HyperparameterEncoder.Start(values, now));
    }

    /// <summary>Says how a run with hyperparameters ended; without it TensorBoard takes the run as one that goes on.</summary>
    /// <param name="hasSucceeded">Whether it reached its end.</param>
    /// <exception cref="IOException">Something that was added before could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void EndRun(bool hasSucceeded = true) =>
        Add(EventKind.Value, 0, "", content: HyperparameterEncoder.End(hasSucceeded, Now()));

    /// <summary>Adds a graph in TensorFlow's form (a GraphDef).</summary>
    internal void AddGraph(byte[] graph) => Add(EventKind.Graph, 0, "", content: graph);

    /// <summary>Waits until everything that was added is handed to the operating system.</summary>
    /// <exception cref="IOException">Something could not be written.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public void Flush()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        if (!_queue.Flush())
        {
            throw Failed(_queue.Failure!);
        }
    }

    /// <summary>Writes what is left and closes the file.</summary>
    /// <exception cref="IOException">Something could not be written, and no call has said so yet.</exception>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _queue.Close();
        _thread.Join();
        _file.Dispose();
        if (_queue.Failure is { } failure && Volatile.Read(ref _isFailureKnown) == 0)
        {
            throw Failed(failure);
        }
    }

    private void Add(EventKind kind, long step, string tag, float scalar = 0, object? content = null, int length = 0)
    {
        if (!_queue.Add(new PendingEvent(kind, Now(), step, tag, scalar, content, length)))
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
            throw Failed(_queue.Failure!);
        }
    }

    private IOException Failed(Exception cause)
    {
        Volatile.Write(ref _isFailureKnown, 1);
        return new IOException(
            $"TensorBoardWriter: cannot write '{Quote.Text(FilePath, int.MaxValue)}': {Quote.Text(cause.Message, 300)}", cause);
    }

    private double Now() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    private void Write(double began)
    {
        try
        {
            var encoder = new EventEncoder();
            _file.Append(encoder.Version(began));
            _file.Write();
            List<PendingEvent> events = _queue.Take([]);
            while (events.Count > 0)
            {
                foreach (PendingEvent pending in events)
                {
                    _file.Append(encoder.Encode(pending));
                    if (_file.Pending > WriteBytes)
                    {
                        _file.Write();
                    }
                }

                _file.Write();
                _queue.Done(events.Count);
                events.Clear();
                events = _queue.Take(events);
            }
        }
        catch (Exception e)
        {
            // Nobody waits for this thread; the next call tells.
            _queue.Fail(e);
        }
    }
}
