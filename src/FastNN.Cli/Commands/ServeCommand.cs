using System.CommandLine;
using FastNN.Cli.Serving;

namespace FastNN.Cli.Commands;

/// <summary>
/// `fastnn serve`. Options are texts here: configuration files and environment variables have the same ones, and all are read in
/// one place, <see cref="ServeSettings"/>. Nothing of the web server is touched before the command runs, so that other commands
/// start without it.
/// </summary>
internal static class ServeCommand
{
    private const string Description = """
        Serve the models of a folder by the Open Inference Protocol, version 2, over REST and gRPC.

        The folder has NAME/VERSION/model.onnx or NAME/VERSION/model.safetensors. Without options the server answers this machine
        alone, and loads what is put into the folder while it runs.

        Examples:
          fastnn serve models
          fastnn serve --new-key ci:infer --api-keys keys
          fastnn serve models --host 0.0.0.0 --api-keys keys --tls-certificate server.pem --tls-key server.key
          fastnn serve models --max-batch 64 --max-delay 2ms --time-out 500ms --metrics
          fastnn serve --config serve.json
        """;

    public static Command Create(CommandContext context)
    {
        var folder = new Argument<string?>("models")
        {
            Description = "The folder of models.",
            HelpName = "MODELS_FOLDER",
            Arity = ArgumentArity.ZeroOrOne,
        };
        // A mistyped option would be taken for the folder.
        folder.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: ['-', ..] given }, ..])
            {
                string[] names = [.. ServeOption.All.Select(option => option.Switch)];
                result.AddError($"There is no option '{given}'. {Nearest.Suggest(given, names)}");
            }
        });
        var config = new Option<string?>("--config")
        {
            Description = "A JSON file with options by their names without dashes, and \"models\" for the folder; the command "
                + "line comes before environment variables such as FASTNN_MAX_BATCH, and those before the file.",
            HelpName = "FILE",
        };
        var newKey = new Option<string?>("--new-key")
        {
            Description = "Make an API key, print it once, and end; with --api-keys its line is added to the file. Scopes are "
                + "infer, manage and metrics.",
            HelpName = "NAME:SCOPE,...",
        };
        var isReady = new Option<bool>("--is-ready")
        {
            Description = "Ask the server that runs here, by --host, --port and --tls-certificate, whether all models are ready, "
                + "and end: with 0 where they are, else with 1.",
        };
        var command = new Command("serve", Description) { folder, config, newKey, isReady };
        var texts = new List<(ServeOption Option, Option Parsed)>();
        foreach (ServeOption option in ServeOption.All)
        {
            Option parsed = option switch
            {
                { IsFlag: true } => new Option<bool>(option.Switch),
                { IsList: true } => new Option<string[]>(option.Switch) { HelpName = option.Value },
                _ => new Option<string?>(option.Switch) { HelpName = option.Value },
            };
            parsed.Description = option.Description;
            foreach (string alias in option.Aliases)
            {
                parsed.Aliases.Add(alias);
            }

            command.Add(parsed);
            texts.Add((option, parsed));
        }

        command.SetAction(result =>
        {
            var given = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
            if (result.GetValue(folder) is { } path)
            {
                given[ServeOption.Folder] = path;
            }

            foreach ((ServeOption option, Option parsed) in texts.Where(
                text => result.GetResult(text.Parsed) is { Implicit: false }))
            {
                given[option.Name] = parsed switch
                {
                    Option<bool> flag => result.GetValue(flag) ? "true" : "false",
                    Option<string[]> list => string.Join(',', result.GetValue(list) ?? []),
                    _ => result.GetValue((Option<string?>)parsed),
                };
            }

            ServeValues values = ServeValues.Read(given, result.GetValue(config), Environment.GetEnvironmentVariable);
            return result.GetValue(newKey) is { } wanted
                ? NewKey.Make(wanted, values.Text("api-keys"), context.Output)
                : result.GetValue(isReady)
                    ? ReadyCheck.Ask(values, context.Output)
                    : ServeRun.Run(ServeSettings.Read(values), context);
        });
        return command;
    }
}
