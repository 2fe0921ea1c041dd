using System.Globalization;
using FastNN.Cli.Recipes;
using FastNN.Cli.Reports;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Running;

/// <summary>A run of a <see cref="ScriptedRecipe"/>, as the recipe sees it.</summary>
internal sealed class ScriptRun(
    ScriptedRecipe recipe, Device device, ScriptDisplay display, string? folder, CancellationToken cancellation)
{
    private readonly List<Outcome> _conditions = [];
    private readonly Dictionary<string, double> _figures = [];
    private readonly Dictionary<string, IReadOnlyList<float>> _losses = [];
    private readonly Dictionary<string, string> _files = [];

    public Device Device => device;

    /// <summary>Where progress is noted for `fastnn watch`, or null.</summary>
    public ProgressFile? Progress { get; init; }

    /// <summary>Determines everything that is drawn.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Whether this is the short form that only has to show that the networks learn.</summary>
    public required bool Quick { get; init; }

    /// <summary>Where the user's data lies, or null for the cache.</summary>
    public required string? Data { get; init; }

    /// <summary>Where losses, figures and pictures go for TensorBoard, or null.</summary>
    public TensorBoardWriter? Board { get; init; }

    public CancellationToken Cancellation => cancellation;

    public IReadOnlyList<Outcome> Conditions => _conditions;

    public IReadOnlyDictionary<string, double> Figures => _figures;

    public IReadOnlyDictionary<string, IReadOnlyList<float>> Losses => _losses;

    public IReadOnlyDictionary<string, string> Files => _files;

    /// <summary>One of two numbers: that of the whole run, or that of a quick one.</summary>
    public int Pick(int whole, int quick) => Quick ? quick : whole;

    /// <summary>Writes a line.</summary>
    public void Say(string line) => display.Line(line);

    /// <summary>Begins a part of the run with a progress bar.</summary>
    /// <param name="name">What is done, in one or two words; each phase has its own.</param>
    /// <param name="steps">Steps until its end.</param>
    public ScriptPhase Begin(string name, long steps)
    {
        cancellation.ThrowIfCancellationRequested();
        var losses = new List<float>();
        _losses.Add(name, losses);
        return new ScriptPhase(name, steps, display, losses, Progress, Board, cancellation);
    }

    /// <summary>Callbacks that show a <see cref="Trainer.Fit"/> as a phase.</summary>
    /// <param name="name">As for <see cref="Begin"/>.</param>
    /// <param name="epochs">The epochs that Fit is given.</param>
    /// <param name="lines">Whether each epoch gets a line; default true.</param>
    public IReadOnlyList<Callback> Watch(string name, int epochs, bool lines = true)
    {
        var losses = new List<float>();
        _losses.Add(name, losses);
        return [new PhaseCallback(name, epochs, lines, display, losses, Progress, Board, cancellation)];
    }

    /// <summary>Notes a number of interest, and writes it.</summary>
    public void Figure(string name, double value)
    {
        _figures.Add(name, value);
        Board?.AddScalar($"figures/{name}", value, step: 0);
        Progress?.Figure(name, value);
        display.Line(string.Create(CultureInfo.InvariantCulture, $"{name}: {value:0.####}"));
    }

    /// <summary>Notes something else that this run has to reach.</summary>
    public void Require(Goal goal, double value)
    {
        Outcome outcome = goal.Judge(value);
        _conditions.Add(outcome);
        display.Line(outcome.ToString());
    }

    /// <summary>Saves a network where the run has a folder.</summary>
    /// <param name="name">One of <see cref="ScriptedRecipe.Files"/>.</param>
    /// <param name="model">A network of the library's layers alone.</param>
    /// <param name="train">As for <see cref="KeptModel.Save"/>.</param>
    /// <param name="standardizer">As for <see cref="KeptModel.Save"/>.</param>
    public void Keep(string name, Layer model, Dataset? train = null, Standardizer? standardizer = null) =>
        Save(name, path => KeptModel.Save(path, model, train, standardizer));

    /// <summary>Saves the weights alone of a network with layers of its own where the run has a folder.</summary>
    /// <param name="name">One of <see cref="ScriptedRecipe.Files"/>.</param>
    /// <param name="model">The network.</param>
    public void KeepWeights(string name, Layer model) => Save(name, path => model.SaveWeights(path));

    /// <summary>Saves a file where the run has a folder; it appears whole or not at all.</summary>
    /// <param name="name">One of <see cref="ScriptedRecipe.Files"/>.</param>
    /// <param name="write">Writes the content.</param>
    public void Keep(string name, Action<Stream> write)
    {
        if (Board is not null && name.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
        {
            using var picture = new MemoryStream();
            write(picture);
            byte[] bytes = picture.ToArray();
            Board.AddPng($"pictures/{Path.GetFileNameWithoutExtension(name)}", bytes, step: 0);
            write = stream => stream.Write(bytes);
        }

        Save(name, path => AtomicFile.Write(path, write));
    }

    /// <summary>Saves a text where the run has a folder.</summary>
    /// <param name="name">One of <see cref="ScriptedRecipe.Files"/>.</param>
    /// <param name="text">The content.</param>
    public void Keep(string name, string text) =>
        Keep(name, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    private void Save(string name, Action<string> save)
    {
        if (!recipe.Files.Contains(name))
        {
            throw new ArgumentException(
                $"{recipe.Name}: expected one of its files ({string.Join(", ", recipe.Files)}), got {name}", nameof(name));
        }

        if (folder is not null)
        {
            string path = Path.Combine(folder, name);
            save(path);
            _files.Add(name, RunResult.Sha256(path));
        }
    }
}
