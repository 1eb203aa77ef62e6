import type { AssetStore } from "./assets/asset-store.ts";
import type { EngineHandlers, EngineOutlet } from "./engine-handlers.ts";
import type { SecretStore } from "./secrets/secret-store.ts";
import type { SettingsStore } from "./settings/settings-store.ts";
import type { ShowStore } from "./show/show-store.ts";

/** What the engine keeps on the disk. */
export interface EngineStores {
  readonly show: ShowStore;
  readonly settings: SettingsStore;
  readonly secrets: SecretStore;
  readonly assets: AssetStore;
}

/** Answers what is about the show, the settings, secrets and files. */
export function keepingRequests(
  { show, settings, secrets, assets }: EngineStores,
  outlet: EngineOutlet,
): EngineHandlers<
  | "open_show"
  | "save_show"
  | "change_settings"
  | "set_secret"
  | "forget_secrets"
  | "begin_asset"
  | "finish_asset"
  | "remove_asset"
> {
  const holders = () => ({ secrets: [...secrets.holders()] });
  return {
    open_show: () => ({
      document: show.document,
      problem: show.problem,
      ...holders(),
      assets: assets.list(),
    }),
    save_show: async ({ document }, session) => {
      const saved_at = await show.save(document);
      outlet.tellOthers(session, { event: "show", document: show.document });
      return { saved_at };
    },
    change_settings: async ({ settings: changes }) => {
      const changed = await settings.change(changes);
      outlet.tell({ event: "settings", settings: changed });
      return { settings: changed };
    },
    set_secret: async ({ holder, kind, secret }) => {
      await secrets.set(holder, kind, secret);
      outlet.tell({ event: "secrets", ...holders() });
      return holders();
    },
    forget_secrets: async ({ holder }) => {
      await secrets.forget(holder);
      outlet.tell({ event: "secrets", ...holders() });
      return holders();
    },
    begin_asset: ({ name, media_type, size }, session) => assets.begin(session, { name, media_type, size }),
    finish_asset: async ({ asset_id }, session) => ({ asset: await assets.finish(session, asset_id) }),
    remove_asset: async ({ asset_id }, session) => {
      await assets.remove(session, asset_id);
      return {};
    },
  };
}
